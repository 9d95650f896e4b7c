// Walls with a window grid that fits them: span.x counts bays along the wall, paint.a is the storey
// height over 2.5 m in cm. Storey 0 is the shop floor, 4.6 m high.
uniform mat4 p3d_ViewMatrixInverse;
in vec3 wp; in vec2 uv;
flat in vec4 col; flat in float mat;
void main() {
    vec3 ray = wp - p3d_ViewMatrixInverse[3].xyz;
    float up = wp.z < 4.6 ? wp.z / 4.6 : 1. + (wp.z - 4.6) / (2.5 + col.a * 2.55);
    vec2 at = vec2(uv.x, up);
    float sunlit = max(dot(nrm, SUN), 0.);
    float light = .50 + .18 * nrm.z + .52 * sunlit;
    vec3 wall = col.rgb;
    vec2 id = floor(at), f = at - id, w = max(fwidth(at), vec2(.0005));
    float near = clamp(1.7 - 1.5 * max(w.x, w.y), 0., 1.);
    float r = hash(id + floor(wall.rg * 97. + nrm.xy * 31.));
    bool shop = up < 1., blank = mat > 8.5;
    bool curtain = mat > 2.5 && mat < 3.5, ribbon = mat > 1.5 && mat < 2.5;
    vec2 lo = curtain ? vec2(.05, .06) : ribbon ? vec2(.04, .34) : vec2(.25, .24);
    vec2 hi = curtain ? vec2(.95, .80) : ribbon ? vec2(.96, .86) : vec2(.75, .80);
    lo = shop ? vec2(.07, .10) : lo; hi = shop ? vec2(.93, .70) : hi;
    vec2 a = clamp((f - lo) / w + .5, 0., 1.) * clamp((hi - f) / w + .5, 0., 1.);
    float pane = a.x * a.y;
    // the mullion splits wide panes in two
    float split = clamp((abs(f.x - .5) - .018) / w.x + .5, 0., 1.);
    pane *= (ribbon || shop) ? 1. : mix(split, 1., .3);
    pane = blank ? 0. : pane;
    vec3 glint = sky(reflect(normalize(ray), nrm));
    vec3 glass = mix(vec3(.07, .09, .12), glint, (curtain ? .42 : .16) + .30 * r);
    glass = r > .90 && !curtain ? mix(glass, vec3(.95, .82, .55), .55) : glass;
    glass = shop ? mix(glass, vec3(.85, .74, .55), .25 + .45 * r) : glass;
    // sign band over the shop window, in a colour of its own
    float sign_ = shop && !blank ? clamp((f.y - .74) / w.y + .5, 0., 1.)
        * clamp((.93 - f.y) / w.y + .5, 0., 1.) : 0.;
    vec3 board = .25 + .55 * fract(r * vec3(1., 7.31, 13.77));
    float sill = (1. - smoothstep(0., .06, abs(f.y - lo.y + .03))) * .10;
    float band = smoothstep(.94, 1., f.y) * (blank ? .0 : .22);
    vec3 stone = wall * (1. - band + sill) * (.95 + .07 * fract(r * 5.3));
    stone = mix(stone, board, sign_ * step(.35, r) * .75);
    vec3 detail = mix(stone * light, glass, pane);
    float cover = blank ? 0. : shop ? .5 : curtain ? .66 : ribbon ? .48 : .28;
    vec3 mean = curtain ? mix(vec3(.07, .09, .12), glint, .55) : mix(vec3(.07, .09, .12), glint, .3);
    vec3 blur = mix(wall * .96 * light, mean, cover);
    vec3 c = mix(blur, detail, near);
    c *= .60 + .40 * smoothstep(0., 14., wp.z);    // light falls off towards the ground
    emit(haze(c, ray));
}

// Walls with a window grid that fits them: span is (bays along the wall, storeys up), 0 = shop floor.
in vec3 wp; in vec3 ray; in vec2 uv;
flat in vec4 col; flat in float mat;
void main() {
    float sunlit = max(dot(nrm, SUN), 0.);
    float light = .50 + .18 * nrm.z + .52 * sunlit;
    vec3 wall = col.rgb;
    vec2 id = floor(uv), f = uv - id, w = max(fwidth(uv), vec2(.0005));
    float near = clamp(1.7 - 1.5 * max(w.x, w.y), 0., 1.);
    float r = hash(id + floor(wall.rg * 97. + col.a * 991.));
    bool shop = uv.y < 1., blank = mat > 8.5;
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
    vec3 board = .25 + .55 * vec3(r, hash(id + 17.), hash(id + 41.));
    float sill = (1. - smoothstep(0., .06, abs(f.y - lo.y + .03))) * .10;
    float band = smoothstep(.94, 1., f.y) * (blank ? .0 : .22);
    vec3 stone = wall * (1. - band + sill) * (.94 + .09 * hash(floor(uv * vec2(2., 5.)) + 7.));
    stone = mix(stone, board, sign_ * step(.35, r) * .75);
    vec3 detail = mix(stone * light, glass, pane);
    float cover = blank ? 0. : shop ? .5 : curtain ? .66 : ribbon ? .48 : .28;
    vec3 mean = curtain ? mix(vec3(.07, .09, .12), glint, .55) : mix(vec3(.07, .09, .12), glint, .3);
    vec3 blur = mix(wall * .96 * light, mean, cover);
    vec3 c = mix(blur, detail, near);
    c *= .60 + .40 * smoothstep(0., 14., wp.z);    // light falls off towards the ground
    emit(haze(c, ray));
}

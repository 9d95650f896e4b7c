// Walls with a window grid that fits them: uv counts bays from corner to corner and storeys from the
// ceiling of the shop floor to the roof.
flat in vec4 eye;
in vec3 wp; in vec2 uv;
flat in vec4 wall; flat in vec4 calm; flat in vec4 sunny; flat in vec4 pane; flat in vec4 trim;
void main() {
    vec3 ray = wp - eye.xyz;
    float d2 = dot(ray, ray), rise = ray.z * inversesqrt(d2);
    vec2 px = 1. / max(fwidth(uv), vec2(.0005));
    vec2 id = floor(uv), f = uv - id;
    float near = clamp(1.8 - 1.5 / min(px.x, px.y), 0., 1.);
    float r = hash(id + calm.ww), r2 = fract(r * 37.), r3 = fract(r * 913.);
    vec2 low = f - pane.xy, high = pane.zw - f;
    vec2 cut = clamp(min(low, high) * px + .5, 0., 1.);
    float glassy = cut.x * cut.y;
    // a sash bar half way up where the style has one
    glassy *= clamp((abs(low.y - high.y) * .5 - .013 + (1. - trim.z)) * px.y + .5, .3, 1.);
    vec3 light = calm.rgb + sunny.rgb * clamp(wp.z * .04 + .45, 0., 1.);
#ifdef NIGHT
    light += GLOW * (exp2(-wp.z * .16) * .75 + .05);
#endif
    float bounce = clamp(rise * .9 + .18 + .16 * (r2 - .5), 0., 1.);
    vec3 glint = mix(LOW * .8, HIGH, bounce);
    float down = high.y / (pane.w - pane.y);       // 0 under the lintel, 1 on the sill
    vec3 glass = glint * (trim.y + .20 * r2) + vec3(.035, .045, .058) * light;
    float blind = step(down, r3 * .75 - .12) * (1. - trim.y * 1.7) * .7;
    glass = mix(glass, vec3(.56, .53, .46) * light, blind);
    glass *= .60 + .40 * clamp(down * 7., 0., 1.);  // the reveal throws its shadow on the glass
    // sill and lintel, floor band, cornice
    float edge = clamp((.052 - min(abs(low.y + .03), abs(high.y + .035))) * px.y, 0., 1.)
        * clamp((min(low.x, high.x) + .05) * px.x + .5, 0., 1.) * step(trim.y, .2);
    float tone = .95 + .07 * r2 - .15 * clamp((f.y - .93) * px.y, 0., 1.);
    tone *= 1. + .34 * edge;
    tone *= 1. - .22 * clamp((uv.y - wall.a + .34) * px.y, 0., 1.);
    vec3 mean = glint * (trim.y + .12) + .03;
#ifdef WET
    tone *= .76 + .16 * hash(vec2(floor(uv.x * 5.), calm.w));     // rain has run down in streaks
    glass += glint * .10;
#endif
#ifdef NIGHT
    float floor_on = hash(vec2(calm.w + 11., id.y));
    float office = step(.22, trim.y);
    float share = sunny.a * mix(1., floor_on > .62 ? 1.7 : .45, office);
    vec3 room = mix(vec3(1., .72, .40), vec3(.90, .93, .96), mix(r3 * r3 * .8, r3 * .9, office)) * (.30 + .55 * r2);
    room *= (1. - .45 * blind) * (1.1 - .42 * down);
    glass = mix(glass, room, clamp((share - r) * 40., 0., 1.) * NIGHTFALL * .9);
    mean += vec3(.58, .47, .31) * (share * NIGHTFALL);
#endif
    vec3 c = mix(wall.rgb * light * mix(.93, tone, near), mix(mean, glass, near), mix(trim.w, glassy, near));
#ifdef WET
    float graze = 1. - abs(dot(ray, nrm)) * inversesqrt(d2);       // and gives back the street along it
    graze *= graze;
    c += (LOW * .30 + GLOW * (exp2(-wp.z * .12) * .34)) * (graze * graze);
#endif
    c *= .66 + .34 * clamp(wp.z * .08 + .02, 0., 1.);   // light falls off towards the ground
    emit(vec4(hazed(c, d2, rise), eye.w));
}

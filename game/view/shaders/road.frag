// Roadway with its markings: span is (metres from the junction's mouth, metres across, left positive).
// paint: lanes, flags, width in quarter metres, lane width in 1/50 m.
flat in vec4 eye;
in vec3 wp; in vec2 uv;
flat in vec4 col; flat in float mat;
float line(float x, float halfwidth, float px) { return clamp((halfwidth - abs(x)) / px + .5, 0., 1.); }
void main() {
    vec3 ray = wp - eye.xyz;
    float lanes = floor(col.r * 255. + .5), width = col.b * 255. * .25;
    float lane_w = max(col.a * 255. * .02, .5);
    int flags = int(col.g * 255. + .5);
    bool crossing = (flags & 1) != 0, oneway = (flags & 2) != 0, plain = (flags & 16) != 0;
    vec2 px = max(fwidth(uv), vec2(.004));
    float along = uv.x, across = uv.y;
    float n = noise(wp.xy * 1.3), big = patches(wp.xy);
    float fade = clamp(1.5 - px.x * .5, 0., 1.);
    vec3 c = vec3(.285, .286, .290) * (.90 + .16 * big + .10 * (n - .5) * fade);
    c *= mended(wp.xy, max(px.x, px.y));
    float slot = across / lane_w + lanes * .5;     // lane boundaries fall on whole numbers
    float k = floor(slot + .5), off = (slot - k) * lane_w;
    float track = abs(abs(slot - floor(slot) - .5) - .22);
    c *= 1. - .07 * (1. - clamp(track * 6.2, 0., 1.)) * step(abs(across), lanes * lane_w * .5);
    float wear = .72 + .28 * clamp(n * 2.9 - .43, 0., 1.);
    float body = step(crossing ? 5.4 : 1., along);
    bool middle = !oneway && abs(k - floor(lanes * .5 + .01)) < .25;
    bool inner = k > .5 && k < lanes - .5;
    float phase = abs(fract(along / 9.) - .5) * 9.;
    float dash = clamp((1.6 - phase) / px.x + .5, 0., 1.);
    dash = mix(.35, dash, clamp(1.6 - px.x * .35, 0., 1.));
    float white = inner && !middle ? line(off, .065, px.y) * dash : 0.;
    bool edge = (k < .5 || k > lanes - .5) && width > lanes * lane_w + 1.6;
    white = edge ? line(off, .05, px.y) : white;
    white *= body;
    float yellow = middle && inner ? line(abs(off) - .16, .06, px.y) * body : 0.;
    float inside = step(abs(across), width * .5 - .35);
    float bar = clamp((.25 - abs(fract(across / 1.2) - .5)) * 1.2 / px.y + .5, 0., 1.);
    bar = mix(.5, bar, clamp(1.5 - px.y, 0., 1.));
    float zebra = crossing ? bar * line(along - 2.1, 1.5, px.x) * inside : 0.;
    bool stops = (flags & 4) != 0 && (across < -.2 || oneway)
        || (flags & 8) != 0 && (across > .2 || oneway);
    float bar_across = stops ? line(along - 4.6, .25, px.x) * inside : 0.;
    white = max(white, max(zebra, bar_across)) * (plain ? 0. : 1.);
    yellow *= plain ? 0. : 1.;
    c = mix(c, vec3(.82, .83, .82), white * wear * .92);
    c = mix(c, vec3(.80, .58, .13), yellow * wear * .95);
#ifdef IS_ROAD_BIKES                               // green beside the lanes, a white line on each side
    {
        float lane = (oneway ? across : abs(across)) - lanes * lane_w * .5 - .1;
        float green = clamp(min(lane, 1.5 - lane) / px.y + .5, 0., 1.) * body;
        c = mix(c, vec3(.13, .36, .20), green * (.55 + .35 * wear));
        float rim = max(line(lane, .06, px.y), line(lane - 1.5, .06, px.y)) * body;
        vec2 wheel = vec2(abs(mod(along, 24.) - 8.) - .48, lane - .75);       // two wheels on the ground
        float ring = clamp((.07 - abs(length(wheel) - .30)) / px.y + .5, 0., 1.) * body;
        c = mix(c, vec3(.82, .83, .82), max(rim, ring) * wear * .92);
    }
#endif
    float gutter = clamp((abs(across) - width * .5) / .7 + 1., 0., 1.);
    c *= (1. - .22 * gutter) * shine(vec3(0., 0., 1.), 0.) * 1.08;
#ifdef WET
    float steep = -ray.z * inversesqrt(dot(ray, ray));
    emit(sodden(c, steep, n * .8 + .5 * gutter, ray));
#else
    emit(vec4(hazed(c, dot(ray, ray), 0.), eye.w));
#endif
}

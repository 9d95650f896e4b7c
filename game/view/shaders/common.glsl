// What every program shares: light, sky, haze, noise. LIGHT comes from game/view/daylight.py, as numbers: a
// software renderer reads a uniform anew for every few pixels, which costs more than what is done with it.
const vec4 LOOK[7] = LIGHT;
#define SUN LOOK[0].xyz                            // unit vector towards it
#define NIGHTFALL LOOK[0].w                        // 0 by day, 1 at night
#define SUNLIGHT LOOK[1].rgb
#define WETNESS LOOK[1].w
#define FILL LOOK[2].rgb                           // scattered light
#define CLOUD LOOK[2].w
#define LOW LOOK[3].rgb                            // the sky at the horizon and overhead
#define HIGH LOOK[4].rgb
#define GLOW LOOK[5].rgb                           // street lamps, on the ground
#define AIR LOOK[6].xyz

// How much nearer than it is a layer on the ground is put [clip space]. Far from the pack's origin
// places are rounded to a millimetre, so layers must lie farther apart to keep their order.
float lifted(float layer, float w, vec3 eye) {
    return layer * (1.5e-4 + 3e-7 * w) * (1. + max(abs(eye.x), abs(eye.y)) * (1. / 1500.));
}

// The number by which `edges` tells a face from the next one: flat, in the eye's fourth part.
float face(vec3 n, float own) { return fract(dot(n, vec3(3.17, 5.71, 8.93)) + own * .61803); }

vec3 sky(vec3 d) {
    vec3 c = mix(LOW, HIGH, sqrt(clamp(d.z, 0., 1.)));
    float s = max(dot(d, SUN), 0.);
    s *= s; s *= s; s *= s;
    return c + SUNLIGHT * (s * .22 + s * s * s * s * .9);
}

// Per fragment, fades to the colour of the sky. d2: squared distance, rise: sine of the height angle.
vec3 hazed(vec3 c, float d2, float rise) {
    float k = exp2(-d2 * (AIR.x + AIR.y * d2 * d2 + AIR.z * inversesqrt(d2)));
    return mix(mix(LOW, HIGH, sqrt(clamp(rise, 0., 1.) * .35)), c, k);
}

vec3 haze(vec3 c, vec3 ray) {
    float d2 = dot(ray, ray);
    return hazed(c, d2, ray.z * inversesqrt(d2));
}

vec3 shine(vec3 n, float z) {                      // light on a face z metres above the street
    vec3 light = FILL * (1. + .32 * n.z) + SUNLIGHT * (max(dot(n, SUN), 0.) * clamp(z * .04 + .45, 0., 1.));
#ifdef NIGHT
    light += GLOW * (exp2(-max(z, 0.) * .16) * (.75 + .35 * n.z) + .05);
#endif
    return light;
}

float mixed(uint h) {                              // any whole number -> 0..1
    h ^= h >> 15; h *= 0x5D1B8E37u;
    return float(h >> 8) * (1. / 16777216.);
}

float hash(vec2 cell) {                            // whole-numbered cells -> 0..1
    uvec2 q = uvec2(ivec2(cell));
    uint h = (q.x * 0x9F2D4A7Bu) ^ (q.y * 0x6B3C91E5u);
    return mixed(h ^ h >> 16);
}

float noise(vec2 p) {                              // smooth, about 1 m where p is in metres
    vec2 i = floor(p), f = p - i;
    f = f * f * (3. - 2. * f);
    uvec2 q = uvec2(ivec2(i)) * uvec2(0x9F2D4A7Bu, 0x6B3C91E5u), r = q + uvec2(0x9F2D4A7Bu, 0x6B3C91E5u);
    return mix(mix(mixed(q.x ^ q.y), mixed(r.x ^ q.y), f.x), mix(mixed(q.x ^ r.y), mixed(r.x ^ r.y), f.x), f.y);
}

float patches(vec2 p) {                            // slow, cheap unevenness over tens of metres, 0..1
    vec2 q = vec2(dot(p, vec2(.0334, .0143)) + .02, dot(p, vec2(-.0191, .0271)) - .25);
    vec2 t = abs(fract(q) - .5) * 4. - 1.;         // a wave of parabolas: a sine costs six times as much
    t *= 1.5 - .5 * t * t;
    return .5 + .25 * (t.x + t.y);
}

float mended(vec2 wp, float px) {                  // what asphalt is worth where it was cut open, or has a lid
    vec2 p = vec2(dot(wp, vec2(.4848, .8746)), dot(wp, vec2(-.8746, .4848)));     // along the avenues
    vec2 cell = floor(p * vec2(1. / 13., 1. / 5.));
    float r = hash(cell), s = fract(r * 57.), t = fract(r * 193.);
    vec2 at = abs(p - (cell + .5) * vec2(13., 5.) - (vec2(s, t) - .5) * vec2(6., 2.));
    vec2 side = (vec2(.8 + 3. * t, .5 + .9 * s) - at) / px;
    float cut = clamp(min(side.x, side.y) + .5, 0., 1.) * step(r, .50);
    float lid = clamp((.36 - length(at)) / px + .5, 0., 1.) * step(.82, r);
    return 1. - cut * (s > .45 ? .22 : -.15) - .40 * lid;
}

// Wet ground, blended over what it gives back: alpha is the share of its own. low: where water stands.
vec4 sodden(vec3 c, float steep, float low, vec3 ray) {
    float pool = clamp(low * 3.2 - 1.15, 0., 1.);
    float away = 1. - clamp(steep, 0., 1.);
    away *= away; away *= away;
    float share = (.07 + .36 * away + .44 * away * away) * (.42 + .58 * pool);
    return vec4(haze(c * (.60 - .16 * pool), ray) * (1. - share), 1. - share);
}

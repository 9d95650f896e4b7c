// What every program shares: light, sky, haze, noise, and the four planes of the picture.
const vec3 SUN = vec3(.46, -.50, .733);
uniform float far_m;

vec3 sky(vec3 d) {
    float up = clamp(d.z, 0., 1.);
    vec3 c = mix(vec3(.83, .86, .88), vec3(.28, .49, .80), sqrt(up));
    float s = max(dot(d, SUN), 0.);
    s *= s; s *= s; s *= s; s *= s;
    return c + vec3(1., .85, .6) * (s * .22 + s * s * s * s * .35);
}

vec3 haze(vec3 c, vec3 ray) {                      // per fragment, fades to the colour of the sky
    float d2 = dot(ray, ray);
    float up = max(ray.z, 0.) * inversesqrt(d2) * .35;
    vec3 s = mix(vec3(.83, .86, .88), vec3(.28, .49, .80), sqrt(up));
    float k = exp2(-d2 * 7.5 / (far_m * far_m));
    return mix(s, c, k);
}

float hash(vec2 cell) {                            // whole-numbered cells -> 0..1
    uvec2 q = uvec2(ivec2(cell));
    uint h = (q.x * 0x9F2D4A7Bu) ^ (q.y * 0x6B3C91E5u);
    h ^= h >> 16; h *= 0x5D1B8E37u; h ^= h >> 15;
    return float(h >> 8) * (1. / 16777216.);
}

float noise(vec2 p) {                              // smooth, about 1 m where p is in metres
    vec2 i = floor(p), f = p - i;
    f = f * f * (3. - 2. * f);
    return mix(mix(hash(i), hash(i + vec2(1., 0.)), f.x),
               mix(hash(i + vec2(0., 1.)), hash(i + vec2(1.)), f.x), f.y);
}

float patches(vec2 p) {                            // slow, cheap unevenness over tens of metres, 0..1
    return .5 + .25 * sin(p.x * .21 + 1.7 * sin(p.y * .13)) + .25 * sin(p.y * .17 + 1.3 * sin(p.x * .11));
}

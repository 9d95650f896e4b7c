// All ground but the roadway. mat: 0 block paving, 1 water, 2 grass, 3 slabs, 4 kerb, 6 junction.
flat in vec4 eye;
in vec3 wp; in vec2 uv;
flat in vec4 col; flat in float mat;
void main() {
    vec3 ray = wp - eye.xyz;
    float inv = inversesqrt(dot(ray, ray)), steep = -ray.z * inv;     // 1 looking straight down
    float big = patches(wp.xy), n = noise(wp.xy * 1.1);
    vec2 at = mat > 2.5 && mat < 3.5 ? uv / 1.5 : uv / 3.;
    vec2 w = max(fwidth(at), vec2(.002));
    vec2 f = abs(fract(at) - .5);
    vec2 joint = clamp((f - .488) / w + .5, 0., 1.) * clamp(1.4 - w * 1.2, 0., 1.);
    float gap = max(joint.x, joint.y);
    vec3 slab = vec3(.545, .535, .515) * (.92 + .10 * hash(floor(at)) * step(w.x + w.y, .8) + .08 * big);
    slab *= 1. - .30 * gap;
    vec3 tar = vec3(.285, .286, .290) * (.90 + .16 * big + .08 * (n - .5)) * 1.04 * mended(wp.xy, max(w.x, w.y) * 3.);
    vec3 grass = mix(vec3(.24, .33, .15), vec3(.33, .42, .20), n * .6 + big * .4);
    vec3 c = mat < .5 ? slab * vec3(.90, .90, .92) : mat < 2.5 ? grass
        : mat < 3.5 ? slab : mat < 5.5 ? vec3(.66, .65, .63) * (.9 + .15 * n) : tar;
    c *= shine(vec3(0., 0., 1.), 0.) * 1.08;
    vec3 mirror = mix(LOW, HIGH, .55 * sqrt(max(steep, 0.)));
    c = mat > .5 && mat < 1.5 ? mix(mirror * .80, HIGH * .28 + vec3(.01, .05, .05), min(1., steep * 2.2 + .25 * n)) : c;
#ifdef WET
    emit(sodden(c, steep, mat > 5.5 ? n : n * .45, ray));
#else
    emit(vec4(hazed(c, dot(ray, ray), 0.), eye.w));
#endif
}

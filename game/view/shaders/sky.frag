in vec3 ray;
void main() {
    vec3 d = ray * inversesqrt(dot(ray, ray));
    vec3 c = sky(d);
    vec2 p = d.xy / max(d.z, .06) * 1.7;
    vec2 q = p + .55 * sin(p.yx * 2.1 + 1.);       // wisps: waves that bend each other
    float heap = sin(q.x * 2.3 + q.y) + sin(q.y * 3.1 - q.x * .7) + .5 * sin(dot(q, vec2(5.3, 4.1)));
    float cloud = clamp(heap * .38 + .02, 0., 1.);
    vec3 white = mix(LOW, vec3(1.), .6) * (FILL + SUNLIGHT) * .98;
    c = mix(c, white, cloud * CLOUD * clamp(d.z * 3.6 - .2, 0., 1.));
#ifdef NIGHT
    c += GLOW * (.16 * (1. - clamp(d.z * 1.6, 0., 1.)));    // the city's light on the haze
#endif
    emit(vec4(c, 0.));
}

in vec3 ray;
void main() {
    vec3 d = ray * inversesqrt(dot(ray, ray));
    vec3 c = sky(d);
    vec2 p = d.xy / max(d.z, .06) * 1.7;
    float cloud = smoothstep(.50, .95, noise(p + .35 * sin(p.yx * 2.7)) * .62 + .38 * patches(p * 19.));
    vec3 white = mix(LOW, vec3(1.), .6) * (FILL + SUNLIGHT) * .98;
    c = mix(c, white, cloud * CLOUD * clamp(d.z * 3.6 - .2, 0., 1.));
#ifdef NIGHT
    c += GLOW * (.16 * (1. - clamp(d.z * 1.6, 0., 1.)));    // the city's light on the haze
#endif
    emit(c);
}

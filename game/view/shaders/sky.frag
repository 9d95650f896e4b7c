in vec3 ray;
void main() {
    vec3 d = normalize(ray);
    vec2 p = d.xy / max(d.z, .06) * 1.7;
    float cloud = smoothstep(.50, .95, noise(p + .35 * sin(p.yx * 2.7)) * .62 + .38 * patches(p * 19.));
    vec3 c = mix(sky(d), vec3(.96, .96, .95), cloud * .55 * smoothstep(.06, .35, d.z));
    emit(c);
}

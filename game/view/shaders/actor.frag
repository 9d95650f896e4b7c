flat in vec4 eye;
in vec3 wp; flat in vec3 col; flat in vec4 glow;
void main() {
    vec3 ray = wp - eye.xyz;
    vec3 way = ray * inversesqrt(dot(ray, ray));
    vec3 r = reflect(way, nrm);
    float glance = 1. + dot(way, nrm);             // 0 face on, 1 at a grazing angle
    vec3 light = shine(nrm, wp.z + 8.) * (.70 + .30 * clamp(wp.z * 1.1, 0., 1.));
    float s = max(dot(r, SUN), 0.); s *= s; s *= s; s *= s; s *= s;
    // what a panel mirrors: the sky over the canyon, or its dark walls and the road
    vec3 round_ = mix(LOW * .42, mix(LOW, HIGH, clamp(r.z, 0., 1.)), clamp(r.z * 2.4 + .12, 0., 1.));
    float share = glow.a * (.55 + 1.2 * glance * glance);
#ifdef WET
    share *= 1.35;
#endif
    vec3 c = col * light + round_ * share + SUNLIGHT * (s * glow.a * 3.2);
    emit(vec4(haze(max(c, glow.rgb * 1.15), ray), eye.w));
}

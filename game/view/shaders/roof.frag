// Roofs and what stands on them. span.x: 1 for weathered steel that catches the sky.
flat in vec4 eye;
in vec3 wp; in vec2 uv;
flat in vec4 col; flat in float mat;
void main() {
    vec3 ray = wp - eye.xyz;
    vec3 c = col.rgb * shine(nrm, wp.z) * (.90 + .12 * patches(wp.xy * 5. + wp.z));
    if (uv.x > .5) {
        vec3 r = reflect(ray * inversesqrt(dot(ray, ray)), nrm);
        c = c * .55 + mix(LOW, HIGH, sqrt(clamp(r.z, 0., 1.))) * .35 + SUNLIGHT * pow(max(dot(r, SUN), 0.), 6.) * .6;
    }
    c *= .70 + .30 * clamp(wp.z * .12, 0., 1.);
    c += col.rgb * col.a * NIGHTFALL * 1.1;         // what shines by itself after dark
    emit(vec4(haze(c, ray), eye.w));
}

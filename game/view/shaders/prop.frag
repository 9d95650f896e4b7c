// Street furniture. mat: 0 plain, 1 leaves, 2 painted metal, 3 car glass, 4 glows by itself.
flat in vec4 eye;
in vec3 wp; in vec2 uv;
flat in vec4 col; flat in float mat;
void main() {
    vec3 ray = wp - eye.xyz;
    vec3 light = shine(nrm, wp.z);
    vec3 c = col.rgb;
    if (mat > .5 && mat < 1.5) {
        float n = noise(wp.xy * 3.1 + wp.z * 2.3) * .55 + noise(wp.yz * 5.7 + wp.x) * .45;
        c *= (.50 + .78 * n) * (.72 + .07 * (wp.z - 2.5)) * light * 1.08;
    } else if (mat < 3.5) {
        c *= light * (.74 + .26 * smoothstep(0., 1., wp.z));
        vec3 r = reflect(normalize(ray), nrm);
        c += mat > 2.5 ? sky(r) * .26 : mat > 1.5 ? sky(r) * .09 : vec3(0.);
    }
    emit(vec4(haze(c, ray), eye.w));
}

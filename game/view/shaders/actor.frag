uniform mat4 p3d_ViewMatrixInverse;
in vec3 wp; flat in vec3 col; flat in vec3 glow;
void main() {
    vec3 ray = wp - p3d_ViewMatrixInverse[3].xyz;
    vec3 r = reflect(normalize(ray), nrm);
    float light = .52 + .20 * nrm.z + .50 * max(dot(nrm, SUN), 0.);
    float shine = max(dot(r, SUN), 0.); shine *= shine; shine *= shine; shine *= shine;
    vec3 c = col * light * (.72 + .28 * smoothstep(0., .9, wp.z)) + sky(r) * .09 + shine * .25;
    emit(haze(max(c, glow * 1.15), ray));
}

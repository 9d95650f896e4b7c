// Roofs and what stands on them.
uniform mat4 p3d_ViewMatrixInverse;
in vec3 wp; in vec2 uv;
flat in vec4 col; flat in float mat;
void main() {
    vec3 ray = wp - p3d_ViewMatrixInverse[3].xyz;
    float light = .50 + .18 * nrm.z + .52 * max(dot(nrm, SUN), 0.);
    float grain = .93 + .10 * noise(wp.xy * .7);
    emit(haze(col.rgb * light * grain * .88, ray));
}

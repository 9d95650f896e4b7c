// Roofs and what stands on them.
in vec3 wp; in vec3 ray; in vec2 uv;
flat in vec4 col; flat in float mat;
void main() {
    float light = .50 + .18 * nrm.z + .52 * max(dot(nrm, SUN), 0.);
    float grain = .93 + .10 * noise(wp.xy * .7);
    emit(haze(col.rgb * light * grain * .88, ray));
}

// Those who move as wet ground gives them back, drawn upside down beneath it: what is high up is faint.
flat in vec4 eye;
in vec3 wp; flat in vec3 col; flat in vec4 glow;
void main() {
    vec3 ray = vec3(wp.xy, -wp.z) - eye.xyz;
    vec3 c = mix(mix(LOW, HIGH, .4) * .6, col * shine(nrm, 2.) * .8, clamp(1.15 - wp.z * .30, .25, 1.));
    emit(vec4(hazed(max(c, glow.rgb), dot(ray, ray), 0.), eye.w));
}

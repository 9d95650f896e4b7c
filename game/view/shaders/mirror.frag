// The lamps of those who move, in the film of water on wet ground: blended over it, brighter than what it gives back
// anyway; the label planes stay as they are.
flat in vec4 eye;
in vec3 wp; flat in vec3 col; flat in vec4 glow; flat in vec3 nrm;
layout(location = 0) out vec4 o_colour;
#ifdef LABELS
layout(location = 1) out vec4 o_class;
layout(location = 2) out vec4 o_instance;
layout(location = 3) out vec4 o_normal;
#endif
void main() {
    vec3 ray = vec3(wp.xy, -wp.z) - eye.xyz;
    float lamp = max(glow.r, max(glow.g, glow.b));
    float share = lamp * .62 * clamp(1.35 - wp.z * .8, 0., 1.) * exp2(-length(ray) * .018);
    o_colour = vec4(glow.rgb, clamp(share, 0., .85));
#ifdef LABELS
    o_class = o_instance = o_normal = vec4(0.);
#endif
}

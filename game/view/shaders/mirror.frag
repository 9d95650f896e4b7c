// What the wet ground gives back of those who move: blended over it; the label planes stay as they are.
uniform mat4 p3d_ViewMatrixInverse;
in vec3 wp; flat in vec3 col; flat in vec4 glow; flat in vec3 nrm;
layout(location = 0) out vec4 o_colour;
#ifdef LABELS
layout(location = 1) out vec4 o_class;
layout(location = 2) out vec4 o_instance;
layout(location = 3) out vec4 o_normal;
#endif
void main() {
    vec3 ray = vec3(wp.xy, -wp.z) - p3d_ViewMatrixInverse[3].xyz;
    float d = length(ray), away = 1. + ray.z / d;
    away *= away;
    float lamp = max(glow.r, max(glow.g, glow.b));
    float share = (.10 + .42 * away * away) * clamp(1.1 - wp.z * .36, .15, 1.) + lamp * .42 * clamp(1.35 - wp.z * .8, 0., 1.);
    share *= exp2(-d * .018);
    vec3 c = max(col * shine(nrm, 2.) * .7, glow.rgb);
    o_colour = vec4(c, clamp(share, 0., .85));
#ifdef LABELS
    o_class = o_instance = o_normal = vec4(0.);
#endif
}

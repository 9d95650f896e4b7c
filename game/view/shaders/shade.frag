// Contact shadow, the light of head lamps or of a street lamp: blended over what is there. Alpha 0 in the label planes
// leaves them untouched.
in vec2 uv; flat in vec2 kind;
layout(location = 0) out vec4 o_colour;
#ifdef LABELS
layout(location = 1) out vec4 o_class;
layout(location = 2) out vec4 o_instance;
layout(location = 3) out vec4 o_normal;
#endif
void main() {
    vec2 d = max(abs(uv) - .55, 0.) / .45;
    float k = clamp(1. - dot(d, d), 0., 1.);
    float fan = (uv.x * .5 + .5);                  // a beam widens and fades ahead
    float beam = clamp(1. - abs(uv.y) / (.30 + .7 * fan), 0., 1.) * clamp(fan * 5., 0., 1.) * (1. - fan * fan);
    float pool = clamp(1. - dot(uv, uv), 0., 1.);  // under a street lamp
    o_colour = kind.y < .5 ? vec4(.02, .02, .03, k * k * kind.x) : kind.y < 1.5 ?
        vec4(1., .92, .74, beam * kind.x) : vec4(1., .83, .60, pool * pool * kind.x);
#ifdef LABELS
    o_class = o_instance = o_normal = vec4(0.);
#endif
}

// Contact shadow: darkens what is there. Alpha 0 in the label planes leaves them untouched.
in vec2 uv;
layout(location = 0) out vec4 o_colour;
layout(location = 1) out vec4 o_class;
layout(location = 2) out vec4 o_instance;
layout(location = 3) out vec4 o_normal;
void main() {
    vec2 d = max(abs(uv) - .55, 0.) / .45;
    float k = clamp(1. - dot(d, d), 0., 1.);
    o_colour = vec4(.02, .02, .03, k * k * .68);
    o_class = o_instance = o_normal = vec4(0.);
}

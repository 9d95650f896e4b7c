layout(location = 0) out vec4 o_colour;
#ifdef LABELS
layout(location = 1) out vec4 o_class;
layout(location = 2) out vec4 o_instance;
layout(location = 3) out vec4 o_normal;
flat in vec4 tag;                                  // 24-bit instance, low byte first, and class
#endif
flat in vec3 nrm;
void emit(vec4 colour) {                           // alpha: the face, or how much of wet ground covers what is beneath
    o_colour = colour;
#ifdef LABELS
    o_class = vec4(tag.a, 0., 0., 1.);
    o_instance = vec4(tag.rgb, 1.);
    o_normal = vec4((nrm * 127. + 128.) / 255., 1.);
#endif
}

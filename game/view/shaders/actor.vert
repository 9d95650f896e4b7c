// Everything that moves. facing.w names a joint: 1 steered wheel, 2 wheel, 3..6 limbs, 7 lamp.
// span is the joint's pivot: (x, y) for a steered wheel, (x, z) for the others.
uniform mat4 p3d_ModelViewProjectionMatrix;
uniform mat4 p3d_ModelMatrix;
uniform mat4 p3d_ViewMatrixInverse;
uniform vec4 who;                                  // instance bytes, low first
uniform vec4 tint;                                 // paint of the body
uniform vec4 pose;                                 // turn of wheels or gait, steer, lamp, brake
in vec4 p3d_Vertex; in vec2 span; in vec4 facing; in vec4 paint; in vec4 label;
out vec3 wp; out vec3 ray; flat out vec4 tag; flat out vec3 nrm; flat out vec3 col; flat out vec3 glow;
void swing(inout vec3 p, inout vec3 n, vec2 pivot, float angle) {   // about the y axis
    float c = cos(angle), s = sin(angle);
    p.xz = mat2(c, -s, s, c) * (p.xz - pivot) + pivot;
    n.xz = mat2(c, -s, s, c) * n.xz;
}
void main() {
    vec3 p = p3d_Vertex.xyz, n = (facing.xyz - 128.) / 127.;
    float joint = facing.w;
    if (joint > .5 && joint < 2.5) {
        swing(p, n, vec2(span.x, .33), pose.x);
        if (joint < 1.5) {
            float c = cos(pose.y), s = sin(pose.y);
            p.xy = mat2(c, s, -s, c) * (p.xy - span) + span;
            n.xy = mat2(c, s, -s, c) * n.xy;
        }
    } else if (joint > 2.5 && joint < 6.5) {
        float side = joint == 3. || joint == 6. ? 1. : -1.;
        swing(p, n, span, side * sin(pose.x) * (joint < 4.5 ? .55 : .40) * pose.z);
    }
    gl_Position = p3d_ModelViewProjectionMatrix * vec4(p, 1.);
    wp = (p3d_ModelMatrix * vec4(p, 1.)).xyz;
    ray = wp - p3d_ViewMatrixInverse[3].xyz;
    nrm = normalize(mat3(p3d_ModelMatrix) * n);
    tag = vec4(who.rgb, label.a) / 255.;
    vec3 own = paint.rgb / 255.;
    col = mix(own, own * tint.rgb, step(128., paint.a));
    glow = joint == 7. ? own * pose.z : joint == 8. ? own * pose.w : joint == 9. ? own : vec3(0.);
}

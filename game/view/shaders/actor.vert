// Everything that moves. facing.w names a joint: 1 steered wheel, 2 wheel, 3..6 limbs, 7 flashing lamp,
// 8 brake lamp, 9 always lit, 10 head lamp. span is the joint's pivot: (x, y) for a steered wheel, (x, z)
// for the others. paint.a: 255 takes the tint and shines, 200 takes it dull, 150 trousers, 100 skin, 60 glass.
uniform mat4 p3d_ModelViewProjectionMatrix;
uniform mat4 p3d_ViewMatrixInverse;
// One instance an entity, four rows each: x, y, cosine and sine of the heading; instance bytes (low
// first) and brake light, below 0 where all lamps are off; paint and flashing lamp; cosine and sine of wheels or legs, steering or arms.
uniform vec4 crew[160];
in vec4 p3d_Vertex; in vec2 span; in vec4 facing; in vec4 paint; in vec4 label;
out vec3 wp; flat out vec4 eye; flat out vec4 tag; flat out vec3 nrm; flat out vec3 col; flat out vec4 glow;
void swing(inout vec3 p, inout vec3 n, vec2 pivot, vec2 turn) {     // about the y axis
    mat2 m = mat2(turn.x, -turn.y, turn.y, turn.x);
    p.xz = m * (p.xz - pivot) + pivot;
    n.xz = m * n.xz;
}
void main() {
    vec4 stand = crew[gl_InstanceID * 4], who = crew[gl_InstanceID * 4 + 1];
    vec4 tint = crew[gl_InstanceID * 4 + 2], pose = crew[gl_InstanceID * 4 + 3];
    vec3 p = p3d_Vertex.xyz, n = (facing.xyz - 128.) / 127.;
    float joint = facing.w;
    if (joint > .5 && joint < 2.5) {
        swing(p, n, vec2(span.x, .33), pose.xy);
        if (joint < 1.5) {
            mat2 m = mat2(pose.z, pose.w, -pose.w, pose.z);
            p.xy = m * (p.xy - span) + span;
            n.xy = m * n.xy;
        }
    } else if (joint > 2.5 && joint < 6.5) {
        vec2 turn = joint < 4.5 ? pose.xy : pose.zw;
        float side = joint == 3. || joint == 6. ? 1. : -1.;
        swing(p, n, span, vec2(turn.x, turn.y * side));
    }
    mat2 turn = mat2(stand.z, stand.w, -stand.w, stand.z);
    wp = vec3(turn * p.xy + stand.xy, p.z);
    nrm = vec3(turn * n.xy, n.z);
    eye = vec4(p3d_ViewMatrixInverse[3].xyz, face(nrm, dot(who.rgb, vec3(7., 31., 57.)) + dot(paint, vec4(3., 5., 9., 13.))));
    tag = vec4(who.rgb, label.a) / 255.;
    vec3 own = paint.rgb / 255.;
    float a = paint.a, odd = fract((who.r + who.g * 7.) * .61803), more = fract(odd * 7.3);
    vec3 cloth = more < .34 ? vec3(.14, .17, .26) : more < .62 ? vec3(.11, .11, .12) : more < .84 ?
        vec3(.46, .41, .33) : vec3(.30, .31, .33);
    vec3 skin = mix(vec3(.34, .22, .16), vec3(.85, .64, .52), odd);
    col = a > 175. ? own * tint.rgb : a > 125. ? own * cloth : a > 75. ? own * skin : own;
    float lit = joint == 7. ? tint.a : joint == 8. ? who.a : joint == 9. ? 1. : 0.;
    float gloss = a > 227. ? .16 : a > 30. && a < 75. ? .42 : a < 30. ? .05 : 0.;
#ifdef NIGHT
    lit = joint == 10. ? 1.35 : joint == 8. ? max(lit, .62) : lit;
#endif
    lit *= step(0., who.a);
    glow = vec4(own * lit, gloss);
#ifdef MIRROR
    float up = max(wp.z, 0.);                      // seen by way of the wet ground: put it there
    vec3 foot = eye.xyz + (vec3(wp.xy, -up) - eye.xyz) * (eye.z / (eye.z + up));
    gl_Position = p3d_ModelViewProjectionMatrix * vec4(foot.xy, 0., 1.);
    gl_Position.z -= lifted(7.5, gl_Position.w, eye.xyz);
#else
    gl_Position = p3d_ModelViewProjectionMatrix * vec4(wp, 1.);
#endif
}

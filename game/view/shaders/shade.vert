// Oblongs on the ground, two rows an instance: x, y, cosine and sine; half sizes, strength, bright.
uniform mat4 p3d_ModelViewProjectionMatrix;
uniform mat4 p3d_ViewMatrixInverse;
uniform vec4 patches_[160];
in vec4 p3d_Vertex; in vec2 span;
out vec2 uv; flat out vec2 kind;
void main() {
    vec4 stand = patches_[gl_InstanceID * 2], size = patches_[gl_InstanceID * 2 + 1];
    uv = span; kind = size.zw;
    vec2 p = mat2(stand.z, stand.w, -stand.w, stand.z) * (span * size.xy) + stand.xy;
    gl_Position = p3d_ModelViewProjectionMatrix * vec4(p, 0., 1.);
    gl_Position.z -= lifted(8., gl_Position.w, p3d_ViewMatrixInverse[3].xyz);
}

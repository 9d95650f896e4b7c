uniform mat4 p3d_ProjectionMatrixInverse;
uniform mat4 p3d_ViewMatrixInverse;
in vec4 p3d_Vertex;
out vec3 ray; flat out vec4 tag; flat out vec3 nrm;
void main() {
    gl_Position = vec4(p3d_Vertex.xy, .9999999, 1.);
    vec4 v = p3d_ProjectionMatrixInverse * vec4(p3d_Vertex.xy, 1., 1.);
    ray = mat3(p3d_ViewMatrixInverse) * (v.xyz / v.w);
    tag = vec4(0., 0., 0., 10. / 255.); nrm = vec3(0.);
}

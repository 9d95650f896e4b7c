// Walls, roofs and ground: already in world coordinates. Ground layers get a hair's breadth of depth.
uniform mat4 p3d_ModelViewProjectionMatrix;
uniform mat4 p3d_ViewMatrixInverse;
uniform float layered;                             // 1 where the material is a layer on the ground
in vec4 p3d_Vertex; in vec2 span; in vec4 facing; in vec4 paint; in vec4 label;
out vec3 wp; out vec2 uv; flat out vec4 eye;
flat out vec4 tag; flat out vec3 nrm; flat out vec4 col; flat out float mat;
void main() {
    nrm = (facing.xyz - 128.) / 127.; mat = facing.w;
    // leaves are of one tree, roadways of one ground: what is painted on them is smooth already
    float own = layered > .5 ? 11. * mat : dot(floor(label.rgb), vec3(7., 31., 57.)) + dot(paint.rgb, vec3(3., 5., 9.));
    eye = vec4(p3d_ViewMatrixInverse[3].xyz, face(abs(mat - 1.) < .5 ? vec3(0.) : nrm, own));
    gl_Position = p3d_ModelViewProjectionMatrix * p3d_Vertex;
    // mostly constant before the division: steep near the eye, where interpolation errs most
    gl_Position.z -= layered * lifted(facing.w, gl_Position.w, eye.xyz);
    wp = p3d_Vertex.xyz;
    uv = span;
    tag = label / 255.; col = paint / 255.;
}

// Lenses of a signal head: span.x is 0 red, 1 amber, 2 green; span.y says which one is on.
uniform mat4 p3d_ModelViewProjectionMatrix;
uniform mat4 p3d_ViewMatrixInverse;
in vec4 p3d_Vertex; in vec2 span; in vec4 facing; in vec4 paint; in vec4 label;
out vec3 ray; flat out vec4 tag; flat out vec3 nrm; flat out vec3 col;
void main() {
    gl_Position = p3d_ModelViewProjectionMatrix * p3d_Vertex;
    gl_Position.z -= 2e-6 * gl_Position.w;
    ray = p3d_Vertex.xyz - p3d_ViewMatrixInverse[3].xyz;
    nrm = (facing.xyz - 128.) / 127.; tag = label / 255.;
    col = paint.rgb / 255. * (abs(span.x - span.y) < .5 ? 1.1 : .13);
}

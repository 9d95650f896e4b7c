// Street furniture near by, many of one mesh at once. Three rows each: x, y, cosine and sine of the
// heading; instance bytes (low first) and scale; paint.
uniform mat4 p3d_ModelViewProjectionMatrix;
uniform mat4 p3d_ViewMatrixInverse;
uniform vec4 stand[150];
in vec4 p3d_Vertex; in vec2 span; in vec4 facing; in vec4 paint; in vec4 label;
out vec3 wp; out vec2 uv; flat out vec4 eye;
flat out vec4 tag; flat out vec3 nrm; flat out vec4 col; flat out float mat;
void main() {
    vec4 at = stand[gl_InstanceID * 3], who = stand[gl_InstanceID * 3 + 1];
    mat2 turn = mat2(at.z, at.w, -at.w, at.z);
    vec3 p = p3d_Vertex.xyz * who.w, n = (facing.xyz - 128.) / 127.;
    wp = vec3(turn * p.xy + at.xy, p.z);
    gl_Position = p3d_ModelViewProjectionMatrix * vec4(wp, 1.);
    uv = span;
    tag = vec4(who.rgb, label.a) / 255.;
    nrm = vec3(turn * n.xy, n.z); mat = facing.w;
    eye = vec4(p3d_ViewMatrixInverse[3].xyz, face(abs(mat - 1.) < .5 ? vec3(0.) : nrm, dot(who.rgb, vec3(7., 31., 57.)) + dot(paint.rgb, vec3(3., 5., 9.))));
    col = vec4(paint.rgb / 255. * stand[gl_InstanceID * 3 + 2].rgb, 0.);
}

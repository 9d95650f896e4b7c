// Walls in world coordinates. span: bays along the wall and storeys above the shop floor.
// facing.w: style, plus 16 where the wall faces a street. paint.a: storeys of the building.
uniform mat4 p3d_ModelViewProjectionMatrix;
uniform mat4 p3d_ViewMatrixInverse;
in vec4 p3d_Vertex; in vec2 span; in vec4 facing; in vec4 paint; in vec4 label;
out vec3 wp; out vec2 uv; flat out vec4 eye;
flat out vec4 tag; flat out vec3 nrm;
flat out vec4 wall;                                // its colour; the storey at which it ends
flat out vec4 calm; flat out vec4 sunny;           // light in the shade and from the sun; own number, share lit
flat out vec4 pane;                                // the window within its bay and storey: low, high
flat out vec4 trim;                                // street, reflectance, split by a bar, cover by glass
// By style: tenement, limestone, ribbons, curtain wall, punched concrete, loft. Chosen, not looked up: a
// table with an index that is not constant is slow where a processor draws.
vec4 pane_of(float s) {
    return s < .5 ? vec4(.27, .20, .73, .74) : s < 1.5 ? vec4(.28, .18, .72, .80) : s < 2.5 ? vec4(.03, .34, .97, .88)
        : s < 3.5 ? vec4(.05, .07, .95, .86) : s < 4.5 ? vec4(.14, .24, .86, .84) : vec4(.12, .16, .88, .86);
}
vec4 trim_of(float s) {
    return s < .5 ? vec4(0., .10, 1., .25) : s < 1.5 ? vec4(0., .12, 1., .27) : s < 2.5 ? vec4(0., .30, 0., .50)
        : s < 3.5 ? vec4(0., .46, 0., .71) : s < 4.5 ? vec4(0., .25, .5, .43) : vec4(0., .16, 1., .53);
}
void main() {
    gl_Position = p3d_ModelViewProjectionMatrix * p3d_Vertex;
    wp = p3d_Vertex.xyz;
    uv = span;
    tag = label / 255.; nrm = (facing.xyz - 128.) / 127.; wall = vec4(paint.rgb / 255., paint.a);
    float street = step(15.5, facing.w), style = facing.w - 16. * street;
    bool blank = style > 8.5;
    pane = blank ? vec4(2., 2., 3., 3.) : pane_of(style);
    trim = blank ? vec4(0.) : trim_of(style);
    if (style < .5 && street < .5) { pane.xz = vec2(.36, .64); trim.w *= .45; }   // a tenement's back
    trim.x = blank ? 0. : street;
    calm = vec4(FILL * (1. + .32 * nrm.z), dot(floor(label.rgb), vec3(7., 31., 57.)));
    eye = vec4(p3d_ViewMatrixInverse[3].xyz, face(nrm, calm.w));
    sunny = vec4(SUNLIGHT * max(dot(nrm, SUN), 0.), style > 1.5 && style < 3.5 ? .44 : .30);
}

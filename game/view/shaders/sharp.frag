#version 330
// Catmull and Rom's spline over sixteen pixels, in nine reads that let the sampler mix the middle.
uniform sampler2D p3d_Texture0;
uniform vec2 grain;                 // width and height of the picture [px]
in vec2 place;
out vec4 colour;
void main() {
    vec2 p = place * grain, middle = floor(p - .5) + .5, f = p - middle;
    vec2 w0 = f * (-.5 + f * (1. - .5 * f)), w1 = 1. + f * f * (-2.5 + 1.5 * f);
    vec2 w2 = f * (.5 + f * (2. - 1.5 * f)), w3 = f * f * (-.5 + .5 * f), w12 = w1 + w2;
    vec2 at[3] = vec2[3]((middle - 1.) / grain, (middle + w2 / w12) / grain, (middle + 2.) / grain);
    vec2 by[3] = vec2[3](w0, w12, w3);
    vec3 sum = vec3(0.);
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 3; x++)
            sum += texture(p3d_Texture0, vec2(at[x].x, at[y].y)).rgb * (by[x].x * by[y].y);
    colour = vec4(clamp(sum, 0., 1.), 1.);
}

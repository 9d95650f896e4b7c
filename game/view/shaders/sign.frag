// Street-name signs. paint.a 1/255: letters, whose ink is the alpha of the page of glyphs.
flat in vec4 eye;
uniform sampler2D page;
in vec3 wp; in vec2 uv;
flat in vec4 col; flat in float mat;
void main() {
    vec3 ray = wp - eye.xyz;
    vec3 light = shine(nrm, wp.z) * 1.3 + .15;
    vec3 c = col.rgb;
    if (col.a > .002) c = mix(vec3(.07, .36, .235), c, smoothstep(.12, .50, texture(page, uv).a));
    emit(vec4(haze(c * light, ray), eye.w));
}

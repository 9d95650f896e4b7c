// Walls as wet ground gives them back, drawn upside down beneath it: coarse, and streaked downwards.
flat in vec4 eye;
in vec3 wp; in vec2 uv;
flat in vec4 wall; flat in vec4 calm; flat in vec4 sunny; flat in vec4 pane; flat in vec4 trim;
void main() {
    vec3 ray = vec3(wp.xy, -wp.z) - eye.xyz;
    float d2 = dot(ray, ray);
    vec3 light = calm.rgb + sunny.rgb * .5;
    vec3 c = mix(wall.rgb * light, mix(LOW * .8, HIGH, .4) * (trim.y + .12), trim.w);
#ifdef NIGHT
    c += wall.rgb * GLOW * exp2(-wp.z * .16) * .6;
    vec2 id = floor(uv);
    float r = hash(id + calm.ww), side = fract(uv.x) - .5;
    vec3 lamp = mix(vec3(1., .78, .50), vec3(.88, .92, 1.), fract(r * 37.));
    float open = clamp((sunny.a * 1.15 - r) * 8., 0., 1.) * (.62 - 1.9 * side * side);
#ifdef IS_DROWNED_SHOP                             // the shop windows and sign boards of shop.frag
    float unit = hash(vec2(floor(uv.x * .2), calm.w + 3.)), tone = fract(unit * 17.), kind = fract(unit * 71.);
    float shop = trim.x * clamp((4.3 - wp.z) * 1.4, 0., 1.), board = clamp(1.6 - 2.2 * abs(wp.z - 3.7), 0., 1.);
    vec3 hue = .5 + .5 * cos(6.283 * (tone * .8 + vec3(.0, .38, .58)));
    vec3 inside = mix(vec3(1., .80, .52), vec3(.86, .93, 1.), step(.7, kind)) * (.38 + .45 * tone);
    inside = mix(inside, .16 + .5 * hue, board * step(.5, kind) * .8);
    lamp = mix(lamp, inside, shop);
    open = mix(open, step(.14, unit), shop);
#endif
    c = mix(c, lamp, open * NIGHTFALL);
#endif
    emit(vec4(hazed(c, d2, 0.), eye.w));
}

// Walls with a window grid that fits them: uv counts bays from corner to corner and storeys from the
// ceiling of the shop floor, which is 4.6 m high, to the roof.
uniform mat4 p3d_ViewMatrixInverse;
in vec3 wp; in vec2 uv;
flat in vec4 col; flat in vec4 pane; flat in vec4 trim; flat in vec4 odd;
float within(float x, float low, float high, float px) {
    return clamp(min(x - low, high - x) / px + .5, 0., 1.);
}
void main() {
    vec3 ray = wp - p3d_ViewMatrixInverse[3].xyz;
    bool shop = uv.y < 0. && trim.x > .5;
    vec2 w = max(fwidth(uv), vec2(.0005));
    vec2 at = shop ? vec2(uv.x * .4, wp.z * (1. / 4.6)) : uv;
    w = shop ? vec2(w.x * .4, fwidth(wp.z) * (1. / 4.6) + .0005) : w;
    vec2 id = floor(at), f = at - id;
    float near = clamp(1.8 - 1.5 * max(w.x, w.y), 0., 1.);
    float r = hash(id + odd.xx), r2 = fract(r * 37.), r3 = fract(r * 913.);
    vec4 p = shop ? vec4(.06, .11, .94, .60) : pane;
    float glassy = within(f.x, p.x, p.z, w.x) * within(f.y, p.y, p.w, w.y);
    vec2 in_pane = (f - p.xy) / (p.zw - p.xy);
    // a sash bar half way up, or a post between two lights
    float bar = min(abs(in_pane.y - .5) - .022, 1. - trim.z * .999) * (p.w - p.y);
    glassy *= clamp(bar / w.y + .5 + (1. - trim.z) * 9., .25, 1.);
    float up = (in_pane.y - 1.) * -1.;              // 0 under the lintel
    vec3 n = nrm;
    float bounce = clamp((ray.z * inversesqrt(dot(ray, ray))) * 1.1 + .12 + .10 * (r - .5), 0., 1.);
    vec3 glint = mix(LOW * .78, mix(LOW, HIGH, sqrt(bounce)), step(.0, ray.z));
    vec3 glass = mix(vec3(.055, .07, .09) * (FILL + SUNLIGHT) * 1.4, glint, trim.y + .22 * r2);
    float blind = step(up, r3 * .75 - .12) * (1. - trim.y * 1.6);
    glass = mix(glass, vec3(.60, .57, .50) * FILL * 1.25, blind * .75);
    glass *= .62 + .38 * clamp(up * 7., 0., 1.);    // the reveal throws its shadow on the glass
    vec3 light = shine(n, wp.z);
    vec3 wall = col.rgb;
    // courses: a floor band, a lintel and a sill, quoins of tone, a darker base and a cornice
    float band = within(f.y, .93, 1.2, w.y) * .16;
    float sill = within(f.y, p.y - .055, p.y - .005, w.y) * within(f.x, p.x - .05, p.z + .05, w.x)
        + within(f.y, p.w + .005, p.w + .06, w.y) * within(f.x, p.x - .03, p.z + .03, w.x);
    vec3 stone = wall * (1. - band) * (.95 + .07 * r2);
    stone = mix(stone, min(wall * 1.35 + .06, vec3(.82)), sill * .6 * step(trim.y, .27));
    float crown = clamp((uv.y - col.a + .34) / w.y + .5, 0., 1.);
    stone = mix(stone, wall * .78, crown * .8);
    vec3 mean_glass = glint * (trim.y + .15) + vec3(.03);
    vec3 lamp = vec3(0.);
    if (shop) {
        float unit = hash(vec2(floor(at.x * .5), odd.x + 3.)), tone = fract(unit * 17.), kind = fract(unit * 71.);
        vec3 paint = .16 + .50 * clamp(abs(fract(tone + vec3(0., .667, .333)) * 6. - 3.) - 1., 0., 1.) * (.35 + .6 * kind);
        vec3 frame = mix(wall * .55, vec3(.07, .075, .08), step(.4, kind));
        // awning, striped or plain, a sign board over it, a stall riser below
        float stripe = mix(1., step(.5, fract(at.x * 9.)), step(.62, kind) * step(.35, tone));
        float awn = within(f.y, .55, .72 , w.y) * step(.38, kind);
        float sign_ = within(f.y, .74, .90, w.y) * within(f.x, .03, .97, w.x);
        stone = mix(frame, mix(vec3(.80, .78, .74), paint, stripe) * (.55 + 2.6 * (f.y - .55)), awn);
        stone = mix(stone, mix(paint * .75 + .05, vec3(.09), step(.7, tone)), sign_);
        stone = mix(stone, mix(wall, vec3(.72), .25), within(f.y, .92, 1.2, w.y));
        float letters = step(.45, fract(at.x * 7.3 + sin(at.x * 41.) * .3)) * within(f.y, .785, .855, w.y)
            * within(f.x, .2, .8, w.x);
        stone = mix(stone, vec3(.86, .84, .78), letters * .8);
        glassy *= 1. - awn;
        float goods = within(in_pane.y, -.1, .18 + .3 * fract(r * 53. + floor(f.x * 9.) * .37), w.y * 2.);
        glass = mix(mix(vec3(.10, .10, .11), glint, .22), mix(paint, vec3(.5, .45, .38), .5) * .55, goods * .7);
        glass += vec3(.16, .13, .085) * (1. - .7 * kind) * (FILL + .2);
        lamp = mix(vec3(1.05, .80, .50), vec3(.80, .92, 1.), step(.75, kind)) * (.35 + .65 * tone)
            * (.55 + .5 * in_pane.y) * (1. - .55 * goods);
        lamp = mix(lamp, paint * 2.2, sign_ * step(.5, kind));
        glassy = max(glassy, 0.);
        mean_glass = paint * .5 + .1;
    }
    vec3 c = stone * light;
#ifdef NIGHT
    float floor_on = hash(vec2(odd.x + 11., id.y));
    float share = trim.y > .22 ? odd.w * (floor_on > .62 ? 1.7 : .45) : odd.w;
    float on = shop ? 1. : clamp((share - r) * 40., 0., 1.);
    vec3 room = mix(vec3(1., .74, .42), vec3(.90, .93, .96), trim.y > .22 ? r3 * .9 : r3 * r3 * .8) * (.30 + .50 * r2);
    room *= shop ? 1. : 1. - .45 * blind;
    lamp = shop ? lamp : room * (.70 + .45 * in_pane.y);
    glass = mix(glass, lamp, on * NIGHTFALL * (shop ? .9 : .88));
    mean_glass = mix(mean_glass, (shop ? vec3(.60, .46, .30) : vec3(.62, .52, .36) * share), NIGHTFALL);
    if (shop) c = mix(c, lamp * .55, NIGHTFALL * within(f.y, .75, .89, w.y) * step(.2, lamp.r + lamp.g));
#endif
    c = mix(mix(wall * .96 * light, mean_glass, shop ? .45 : trim.w), mix(c, glass, glassy), near);
    c *= .66 + .34 * clamp(wp.z * .08 + .02, 0., 1.);   // light falls off towards the ground
    emit(haze(c, ray));
}

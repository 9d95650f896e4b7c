// The ground floor on a street, 4.6 m: shop windows between piers, awnings, sign boards, doors.
flat in vec4 eye;
in vec3 wp; in vec2 uv;
flat in vec4 wall; flat in vec4 calm; flat in vec4 sunny;
float within(float x, float low, float high, float px) {
    return clamp(min(x - low, high - x) * px + .5, 0., 1.);
}
void main() {
    vec3 ray = wp - eye.xyz;
    float d2 = dot(ray, ray), rise = ray.z * inversesqrt(d2);
    vec2 at = vec2(uv.x * .4, wp.z * (1. / 4.6));
    vec2 px = 1. / max(fwidth(at), vec2(.0005));
    vec2 id = floor(at), f = at - id;
    float r = hash(id + calm.ww), unit = hash(vec2(floor(at.x * .5), calm.w + 3.));
    float tone = fract(unit * 17.), kind = fract(unit * 71.);
    vec3 light = calm.rgb * 1.12 + sunny.rgb * .5;
#ifdef NIGHT
    light += GLOW * .75;
#endif
    vec3 hue = .5 + .5 * cos(6.283 * (tone * .8 + vec3(.0, .38, .58)));
    vec3 paint = mix(vec3(.24), .10 + .52 * hue, .35 + .5 * kind);
    vec3 frame = kind > .4 ? vec3(.125, .13, .138) : wall.rgb * .6;
    vec3 c = f.x < .04 || f.x > .96 ? wall.rgb * .92 : frame;
    float sign_ = within(f.y, .72, .89, px.y) * within(f.x, .03, .97, px.x);
    c = mix(c, tone > .7 ? vec3(.085) : paint * .8, sign_);
    float letters = step(.42, fract(at.x * 11.3 + sin(at.x * 57.) * .25)) * within(f.y, .775, .84, px.y)
        * within(f.x, .2, .2 + .6 * r, px.x) * clamp(px.x * .012, 0., 1.);
    c = mix(c, vec3(.84, .82, .76), letters);
    c = mix(c, mix(wall.rgb, vec3(.74, .72, .68), .35), within(f.y, .91, 1.3, px.y));
    float stripe = kind > .62 && tone > .35 ? step(.5, fract(at.x * 9.)) : 1.;
    float awn = within(f.y, .56, .71, px.y) * step(.55, kind) * within(f.x, .03, .97, px.x);
    c = mix(c, mix(vec3(.80, .78, .74), paint, stripe) * (.60 + 2.4 * (f.y - .56)), awn);
    // glass above a stall riser, split by two posts; a door in some
    float post = min(abs(f.x - .36), abs(f.x - .66)) - .012;
    float door = step(.66, f.x) * step(.5, r);
    float glassy = within(f.y, door > .5 ? .02 : .12, .66, px.y) * within(f.x, .07, .93, px.x)
        * clamp(post * px.x + .5, .2, 1.) * (1. - awn);
    float up = (f.y - .12) * 1.85;
    vec3 inside = mix(vec3(1., .80, .52), vec3(.86, .93, 1.), step(.7, kind));
    float goods = step(fract(r * 53. + floor(f.x * 21.) * .37) * .30 + .05 + .25 * fract(r * 7. + floor(f.x * 6.) * .29), up);
    vec3 glass = mix(paint * .55 + .07, vec3(.10, .10, .105), goods) * (light * .55 + inside * (.30 + .30 * up));
    glass += mix(LOW * .8, HIGH, .25 + rise) * .15;
    c *= light;
#ifdef NIGHT
    vec3 lamp = inside * (.30 + .55 * tone) * (.60 + .50 * up) * mix(vec3(.55) + paint * .6, vec3(1.), goods);
    float open = step(.14, unit) * NIGHTFALL;
    glass = mix(glass, lamp, .88 * open);
    c += (letters * vec3(.75, .70, .62) + sign_ * (1. - letters) * step(.5, kind) * (paint * 1.15 + .05)) * open;
#endif
    c = mix(c, glass, glassy);
    c *= .78 + .22 * clamp(wp.z * .4, 0., 1.);
    emit(vec4(hazed(c, d2, rise), eye.w));
}

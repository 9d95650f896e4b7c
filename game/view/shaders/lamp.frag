in vec3 ray; flat in vec3 col;
void main() { emit(vec4(haze(col, ray * .5), .93)); }

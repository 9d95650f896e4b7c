in vec3 ray; flat in vec3 col;
void main() { emit(haze(col, ray * .5)); }

#!/bin/sh
# The kiosk account's whole graphical session: one program on a bare X server, nothing else to reach.
# Started by the display manager's automatic login, or: startx packaging/kiosk/session.sh -- -nocursor
set -eu
xset s off -dpms s noblank 2>/dev/null || true      # the screen stays on
setxkbmap -option srvrkeys:none 2>/dev/null || true # no Ctrl-Alt-F1, no Ctrl-Alt-Backspace
systemctl --user import-environment DISPLAY XAUTHORITY
systemctl --user start scale-diffusion-kiosk
# The session lasts as long as the unit is wanted.
while systemctl --user is-active --quiet scale-diffusion-kiosk ||
    systemctl --user is-failed --quiet scale-diffusion-kiosk; do
    sleep 5
done

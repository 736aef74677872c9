# Removes whatever looks like a key or a token. It knows none, so that none must be brought to the host for it.
s/sk-[[:alnum:]_-]+/<key>/g
s/[[:xdigit:]]{32,}/<secret>/g

#!/bin/sh
# Two headless nodes that nothing but `p2pchat ... --json` drives. See test_headless.py.
# Wants: P2PCHAT (the command), PYTHON, and an empty folder as its only argument. Says what it has tried, line by line.
set -eu
work=$1
network="--listen /ip4/127.0.0.1/tcp/0 --no-mdns --no-dht"
processes=

# Whatever happens, nothing stays behind.
clean_up() {
    for process in $processes; do kill "$process" 2>/dev/null || true; done
    wait
}
trap clean_up EXIT

# field EXPRESSION: of the JSON object `it` on standard input.
field() { "$PYTHON" -c "import json, sys; it = json.load(sys.stdin); print($1)"; }

# last FILE: the cursor of the last whole line.
last() { "$PYTHON" -c "
import json, sys
lines = open(sys.argv[1]).read().split('\n')[:-1]
print(json.loads(lines[-1])['cursor'] if lines else '')" "$1"; }

# texts FILE...: what was said, in order.
texts() { "$PYTHON" -c "
import json, sys
lines = [line for name in sys.argv[1:] for line in open(name).read().split('\n')[:-1]]
print(*(each['text'] for each in map(json.loads, lines) if each['type'] == 'message'))" "$@"; }

# until WHAT COMMAND...: until the command succeeds, for at most a minute.
until_so() {
    what=$1; shift
    for _ in $(seq 240); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.25
    done
    echo "not in time: $what" >&2
    exit 1
}

node() {
    name=$1; shift
    "$P2PCHAT" node --headless --name "$name" --data-dir "$work/$name" $network "$@" \
        >"$work/$name.out" 2>"$work/$name.err" &
    processes="$processes $!"
    until_so "$name is ready" "$P2PCHAT" info --data-dir "$work/$name"
}
ada() { command=$1; shift; "$P2PCHAT" "$command" "$@" --data-dir "$work/ada"; }
bob() { command=$1; shift; "$P2PCHAT" "$command" "$@" --data-dir "$work/bob"; }

# ---- start, join -----------------------------------------------------------------------------------------
node ada --bootstrap none
address=$(ada info --json | field "it['addresses'][0]")
node bob --bootstrap "$address"
test "$(ada name --json | field "it['name']")" = ada
test "$(ada rooms join garden --json | field "it['already']")" = False
bob rooms join garden --json >"$work/joined"
bob_is_there() { ada rooms members garden --json | field "len(it['members'])" | grep -qx 2; }
until_so "bob is in the room" bob_is_there
ada peers --json | field "it['peers'][0]['name']" | grep -qx bob
echo "joined"

# ---- send, tail with a kill in between -------------------------------------------------------------------
start_tail() {
    "$P2PCHAT" tail --follow --json --room garden --data-dir "$work/bob" "$@" &
    tail=$!
    processes="$processes $tail"
}
start_tail >"$work/tail1"
until_so "the tail has a cursor" test -s "$work/tail1"
seq 1 20 | ada send --room garden --lines --json >"$work/sent"
until_so "bob hears something" grep -q '"type": "message"' "$work/tail1"
kill -9 "$tail"; wait "$tail" 2>/dev/null || true
seq 21 30 | ada send --room garden --lines --json >>"$work/sent"
cursor=$(last "$work/tail1")
start_tail --after "$cursor" >"$work/tail2"
seq 31 40 | ada send --room garden --lines --json >>"$work/sent"
all_there() { test "$(texts "$work/tail1" "$work/tail2")" = "$(seq -s ' ' 1 40)"; }
until_so "nothing is lost or doubled" all_there
kill "$tail"; wait "$tail" 2>/dev/null || true
test "$(bob history --room garden --limit 100 --json | field "len(it['messages'])")" = 40
test "$(bob tail --after "$(last "$work/tail2")" --json | grep -c '"type": "message"')" = 0
echo "tailed"

# ---- people ----------------------------------------------------------------------------------------------
link=$(bob link --json | field "it['link']")
test "$(ada contacts add "$link" --name Robert --json | field "it['contact']['name']")" = Robert
echo "hello there" | ada send --to Robert --wait delivered --timeout 60 --json >"$work/hello"
field "it['reached'], it['message']['delivery']['stage']" <"$work/hello" | grep -q "True.*delivered"
test "$(ada contacts verify Robert --json | field "it['digits']")" = \
    "$(bob contacts verify "$(ada info --json | field "it['peer']")" --json | field "it['digits']")"
bob send --to "$(ada info --json | field "it['peer']")" --wait delivered --timeout 60 "hello yourself" >"$work/id"
if ada send --to Nobody hello 2>"$work/refused"; then exit 1; else test $? = 1; fi
grep -q "^p2pchat: " "$work/refused"
echo "delivered"

# ---- export, import --------------------------------------------------------------------------------------
ada export "$work/export"
test "$(tail -n 1 "$work/export" | field "it['type']")" = end
node eve --bootstrap none
"$P2PCHAT" import "$work/export" --json --data-dir "$work/eve" >"$work/imported"
test "$(field "it['imported'], it['refused']" <"$work/imported")" = "42 0"
"$P2PCHAT" import - --json --data-dir "$work/eve" <"$work/export" >"$work/again"
test "$(field "it['imported'], it['known']" <"$work/again")" = "0 42"
said() { "$P2PCHAT" history "$@" --limit 100 --json | field "[(m['id'], m['text'], m['sent_at_ms']) for m in it['messages']]"; }
test "$(said --room garden --data-dir "$work/eve")" = "$(said --room garden --data-dir "$work/ada")"
test "$(said --with Robert --data-dir "$work/eve")" = "$(said --with Robert --data-dir "$work/ada")"
"$P2PCHAT" shutdown --data-dir "$work/eve"
echo "imported"

# ---- edit, take back, delete, mute -----------------------------------------------------------------------
id=$(ada send --room garden --json "at eight" | field "it['message']['id']")
ada edit --room garden "$id" at nine --json >"$work/edited"
newest() { bob history --room garden --limit 1 --json | field "[(m['id'], m['text'], m['retracted']) for m in it['messages']]"; }
reads() { test "$(newest)" = "[('$id', '$1', $2)]"; }
until_so "the edit is there" reads "at nine" False
ada retract --room garden "$id" --json >"$work/retracted"
until_so "the retraction is there" reads "" True
bob delete --room garden "$id" --json >"$work/deleted"
if reads "" True; then exit 1; fi
bob rooms mute garden --json >"$work/muted"
test "$(bob rooms --json | field "[r['name'] for r in it['rooms'] if r['muted']]")" = "['garden']"
echo "changed"

# ---- stop ------------------------------------------------------------------------------------------------
ada shutdown --json >"$work/stopped"
bob shutdown --json >>"$work/stopped"
is_gone() { ! "$P2PCHAT" info --data-dir "$1"; }
for name in ada bob eve; do until_so "$name is gone" is_gone "$work/$name"; done
wait
echo "stopped"

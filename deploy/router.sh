# What the containers of the compose profile `nat` run that are no p2pchat: a home router, or the home network of a
# node, which has its way to the world through that router. Both need NET_ADMIN, so that no p2pchat does.
#
#   router nat LAN_SUBNET      lets those inside out, and nobody in (as tests/bed does it)
#   router lan ROUTER_ADDRESS  sends everything that is not for this network to the router
set -eu

interface_of() { # the interface with an address in a network
    ip -o route show "$1" scope link | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1
}

case "$1" in
nat)
    lan=$(interface_of "$2")
    ip route delete default 2>/dev/null || true # out of here only to whom the public network holds
    # What nobody has asked for ends in the chain `own`, before the kernel notes it as a connection: it would occupy
    # the very port that the host inside is about to use for its own half of a hole.
    nft -f - <<RULES
table ip home {
    chain changed {
        type nat hook postrouting priority 100;
        oifname != "$lan" masquerade
    }
    chain own {
        type filter hook input priority 0;
        iifname != { "$lan", "lo" } ct state new,invalid meta l4proto != icmp drop
    }
    chain through {
        type filter hook forward priority 0; policy drop;
        ct state invalid drop
        ct state established,related accept
        iifname "$lan" accept
    }
}
RULES
    ;;
lan)
    ip route replace default via "$2"
    ;;
esac
# Told to stop, it stops at once.
trap 'exit 0' TERM INT
sleep infinity &
wait

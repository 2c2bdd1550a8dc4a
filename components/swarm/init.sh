# shellcheck shell=sh
# Makes this machine the manager of a swarm for one stack. The range of the networks' addresses differs from Docker's default for swarms,
# 10.0.0.0/8, which many private networks are part of.
# Argument: STACK, with the project's name.
set -eu
stack=$1

refuse_live_restore

case $(info .Swarm.LocalNodeState) in
  inactive)
    # The address of the machine's default route: Docker doesn't choose one of several itself.
    address=$(ip -4 -o route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([^ ]*\).*/\1/p') || true
    refuse_range "$address"
    docker swarm init ${address:+--advertise-addr "$address" --data-path-addr "$address"} \
      --default-addr-pool 172.30.0.0/16 --default-addr-pool-mask-length 24 >/dev/null
    ;;
  active)
    [ "$(info .Swarm.ControlAvailable)" = true ] ||
      fail "This machine is a worker of another swarm. Take it out on this machine: docker swarm leave"
    owner=$(docker node inspect self --format '{{index .Spec.Labels "dev.store.stack"}}')
    # Without a label and with nothing in it, the swarm was created by a run that was killed.
    if [ -z "$owner" ]; then
      others=$(docker node ls --quiet | wc -l) services=$(docker service ls --quiet)
      [ "$others$services" = 1 ] ||
        fail "This machine is the manager of another swarm. Use another machine, or dissolve the swarm: docker swarm leave --force"
    elif [ "$owner" != "$stack" ]; then
      fail "This machine is the manager of the swarm of the stack $owner. If this stack had that name before, tell the swarm its new name, on this machine: docker node update --label-add dev.store.stack=$stack self. Otherwise use another machine."
    fi
    ;;
  *) refuse_broken_swarm ;;
esac
docker node update --label-add "dev.store.stack=$stack" "$(info .Swarm.NodeID)" >/dev/null

/** One mistake in the C sources, as somebody might make it. */
export interface Mutant {
  readonly name: string;
  /** Under `bpf/`. */
  readonly file: string;
  /** Text that is there once. */
  readonly right: string;
  readonly wrong: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "the Ethernet header is forgotten in a bound",
    file: "include/parse.h",
    right: "packet->length + ETH_HLEN > skb->len",
    wrong: "packet->length > skb->len",
  },
  {
    name: "ports are swapped",
    file: "include/rewrite.h",
    right: "ports[0] = entry->new_source_port;\n\tports[1] = entry->new_destination_port;",
    wrong: "ports[0] = entry->new_destination_port;\n\tports[1] = entry->new_source_port;",
  },
  {
    name: "the checksum is not told of the ports",
    file: "include/rewrite.h",
    right: "if (ports != 0xffffffff && ",
    wrong: "if (ports == 0xffffffff && ",
  },
  {
    name: "a UDP packet without a checksum gets a wrong one",
    file: "include/rewrite.h",
    right: "is_udp ? BPF_F_MARK_MANGLED_0 : 0",
    wrong: "0",
  },
  {
    name: "a hash takes an address in network order",
    file: "include/open.h",
    right: "client.source_hash = hash_words(bpf_ntohl(packet->key.source), 0);",
    wrong: "client.source_hash = hash_words(packet->key.source, 0);",
  },
  {
    name: "a flow that ends stays on the load",
    file: "include/flow.h",
    right: "add_load(forward->member, -1);\n\t\t\treturn 1;",
    wrong: "return 1;",
  },
  {
    name: "a flow that makes room leaves its port taken",
    file: "include/open.h",
    right: "delete_opposite(forward, old.protocol);",
    wrong: "",
  },
  {
    name: "half of a flow is left when the table is full",
    file: "include/open.h",
    right: "key = reply_key(opening, packet->key.protocol);\n\tbpf_map_delete_elem(&flow, &key);",
    wrong: "key = reply_key(opening, packet->key.protocol);\n\t(void)key;",
  },
  {
    name: "a RST does not acknowledge the SYN",
    file: "include/parse.h",
    right: "!!(packet->tcp_flags & TCP_SYN) + ",
    wrong: "",
  },
  {
    name: "any RST ends a flow",
    file: "include/track.h",
    right: "return packet->sequence - other->last_ack < PLAUSIBLE_WINDOW;",
    wrong: "return !!packet;",
  },
  {
    name: "an ICMP error's checksum is not told of the quoted ports",
    file: "include/icmp.h",
    right: "fold_to_32(ports + (__u16)~quoted->icmp.checksum)",
    wrong: "fold_to_32((ports & 0) + (__u16)~quoted->icmp.checksum)",
  },
  {
    name: "two pools share a client's affinity",
    file: "include/schedule.h",
    right:
      "struct affinity_key key = { .pool = of->pool, .client = client->identity };\n\tstruct affinity *last",
    wrong: "struct affinity_key key = { .pool = 0, .client = client->identity };\n\tstruct affinity *last",
  },
  {
    name: "a segment that is sent again takes the sequence number back",
    file: "include/track.h",
    right: "if (is_after(packet->end_sequence, entry->last_sequence) || !entry->last_sequence)\n\t\t",
    wrong: "",
  },
  {
    name: "a cut is forgotten for the side that was silent",
    file: "include/track.h",
    right: "\tif (reply)\n\t\t__sync_fetch_and_or(&reply->flags, FLOW_CUT | FLOW_RESET);",
    wrong: "\t(void)reply;",
  },
  {
    name: "a slot's member is believed to be the pool's",
    file: "include/schedule.h",
    right: "chosen->state == MEMBER_ACTIVE && chosen->pool == of->pool",
    wrong: "chosen->state == MEMBER_ACTIVE",
  },
  {
    name: "affinity brings clients to a member of weight 0",
    file: "include/schedule.h",
    right: "!takes_new(chosen))\n\t\treturn NO_MEMBER;",
    wrong: "chosen->state != MEMBER_ACTIVE)\n\t\treturn NO_MEMBER;",
  },
  {
    name: "an ICMP error is sent on with no hop left",
    file: "include/icmp.h",
    right: "if (!here && packet->ttl <= 1)",
    wrong: "if (!here && packet->ttl < 1)",
  },
];

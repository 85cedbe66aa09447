//! Packets (RFC 9580, section 4.2): of definite length, one after the other, to the last byte.

use pgp::packet::{Packet, PacketParser};

use super::MAX_PACKETS;

/// Set in the first byte of every packet.
const PACKET: u8 = 0x80;
/// Set in the first byte of a packet whose header has the newer form.
const NEW_FORM: u8 = 0x40;

/// Reads all packets.
pub(super) fn read_packets(bytes: &[u8]) -> Result<Vec<Packet>, &'static str> {
    let mut packets = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        if packets.len() == MAX_PACKETS {
            return Err("it has too many packets");
        }
        let length = packet_length(rest).ok_or("a packet has no definite length")?;
        let (packet, after) = rest.split_at_checked(length).ok_or("a packet is cut off")?;
        let mut parser = PacketParser::new(packet);
        match (parser.next(), parser.next()) {
            (Some(Ok(packet)), None) => packets.push(packet),
            _ => return Err("a packet cannot be read"),
        }
        rest = after;
    }
    Ok(packets)
}

/// Bytes of the first packet, header and all; nothing for partial and open lengths.
fn packet_length(bytes: &[u8]) -> Option<usize> {
    let first = *bytes.first()?;
    if first & PACKET == 0 {
        return None;
    }
    let number = |from: usize, count: usize| {
        let digits = bytes.get(from..from + count)?;
        Some(digits.iter().fold(0, |number: usize, &digit| number << 8 | usize::from(digit)))
    };
    let (header, body) = if first & NEW_FORM != 0 {
        match number(1, 1)? {
            short @ ..192 => (2, short),
            // One-octet and two-octet lengths share the range: section 4.2.1.2.
            192..224 => (3, number(1, 2)?.checked_sub(192 << 8)? + 192),
            255 => (6, number(2, 4)?),
            _ => return None,
        }
    } else {
        match first & 3 {
            0 => (2, number(1, 1)?),
            1 => (3, number(1, 2)?),
            2 => (5, number(1, 4)?),
            _ => return None,
        }
    };
    Some(header + body)
}

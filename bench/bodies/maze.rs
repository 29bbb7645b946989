//! Eight nested checks of a byte, then an equality of 32 bits, then one of 8 bytes.
#[expect(clippy::collapsible_if, reason = "each step is a branch of its own")]
pub fn run(data: &[u8]) {
    if data.len() < 20 {
        return;
    }
    if data[0] == b'F' {
        if data[1] == 0x1b {
            if data[2] == b'z' {
                if data[3] == 0x9d {
                    if data[4] == b'M' {
                        if data[5] == 0xfe {
                            if data[6] == b'!' {
                                if data[7] == 0x07 {
                                    last_door(data);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn last_door(data: &[u8]) {
    let word = u32::from_le_bytes([data[8], data[9], data[10], data[11]]);
    if word == 0x8bad_f00d && data[12..20] == *b"k3yM4g1c" {
        panic!("maze solved");
    }
}

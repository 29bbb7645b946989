//! XML as a stream of events, with namespaces and attributes.
use quick_xml::events::Event;

pub fn run(data: &[u8]) {
    let mut reader = quick_xml::reader::NsReader::from_reader(data);
    reader.config_mut().expand_empty_elements = data.len() % 2 == 1;
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(element) | Event::Empty(element)) => {
                for attribute in element.attributes().flatten() {
                    std::hint::black_box(attribute.key.local_name().as_ref().len());
                }
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(event) => {
                std::hint::black_box(event.len());
            }
        }
        buffer.clear();
    }
}

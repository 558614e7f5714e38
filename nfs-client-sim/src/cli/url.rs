//! Places on servers: `nfs://HOST[:PORT]/PATH`.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

use super::CliError;

/// The port of NFS.
const NFS_PORT: u16 = 2049;
const SCHEME: &str = "nfs://";

/// A place on a server.
///
/// In the path `%XX` is a byte, `.` and `..` are resolved, and `?` and `#` are ordinary characters. An IPv6 address
/// stands in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NfsUrl {
    host: String,
    port: u16,
    names: Vec<Bytes>,
}

/// Why a text is no [`NfsUrl`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("does not begin with nfs://")]
    Scheme,
    #[error("names no host, or one with characters that none has; an IPv6 address belongs in brackets")]
    Host,
    #[error("the port is not a number from 1 to 65535")]
    Port,
    #[error("% is not followed by two hexadecimal digits; %25 is the sign itself")]
    Escape,
    #[error("a name has a slash or a zero byte in it")]
    Name,
}

impl NfsUrl {
    /// The server's name or address, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The names from the root on.
    pub(crate) fn names(&self) -> &[Bytes] {
        &self.names
    }

    /// The path from the root, unescaped; bytes that are not UTF-8 are replaced.
    pub(crate) fn path(&self) -> String {
        let names: Vec<_> = self.names.iter().map(|name| String::from_utf8_lossy(name)).collect();
        format!("/{}", names.join("/"))
    }

    /// The directory of the place and the name in it, unless the place is the root.
    pub(crate) fn split(&self) -> Option<(Self, &Bytes)> {
        let (name, names) = self.names.split_last()?;
        Some((Self { names: names.to_vec(), ..self.clone() }, name))
    }

    /// The place of this name in the directory that this one is.
    pub(crate) fn join(&self, name: &Bytes) -> Self {
        let mut joined = self.clone();
        joined.names.push(name.clone());
        joined
    }

    /// # Errors
    /// [`CliError::Usage`] unless both places are on one server.
    pub(crate) fn require_same_server(&self, other: &Self) -> Result<(), CliError> {
        if self.same_server(other) {
            return Ok(());
        }
        Err(CliError::Usage(format!("{self} and {other} are not on the same server; get and put copy between servers")))
    }

    /// Whether both places are on one server, as far as the names tell.
    pub(crate) fn same_server(&self, other: &Self) -> bool {
        self.host.eq_ignore_ascii_case(&other.host) && self.port == other.port
    }
}

impl FromStr for NfsUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let has_scheme = text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME));
        let rest = text.get(SCHEME.len()..).filter(|_| has_scheme).ok_or(UrlError::Scheme)?;
        let (server, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = split_server(server)?;
        Ok(Self { host: host.to_owned(), port, names: names(path)? })
    }
}

fn split_server(server: &str) -> Result<(&str, u16), UrlError> {
    let (host, port) = match server.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']').ok_or(UrlError::Host)?;
            // What follows the percent sign is an interface: fe80::1%eth0.
            let address = host.split('%').next().unwrap_or_default();
            address.parse::<std::net::Ipv6Addr>().map_err(|_| UrlError::Host)?;
            match rest.strip_prefix(':') {
                None if rest.is_empty() => (host, None),
                None => return Err(UrlError::Host),
                port => (host, port),
            }
        }
        None => server.split_once(':').map_or((server, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control() || "@[]\\?#".contains(c)) {
        return Err(UrlError::Host);
    }
    let port = match port {
        None => NFS_PORT,
        Some(port) if port.contains(':') => return Err(UrlError::Host),
        Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(UrlError::Port)?,
    };
    Ok((host, port))
}

fn names(path: &str) -> Result<Vec<Bytes>, UrlError> {
    let mut names = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(unescape(name)?),
        }
    }
    Ok(names)
}

fn unescape(name: &str) -> Result<Bytes, UrlError> {
    let mut out = Vec::with_capacity(name.len());
    let mut bytes = name.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => {
                let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = digit().zip(digit()).ok_or(UrlError::Escape)?;
                (high * 16 + low) as u8
            }
            plain => plain,
        };
        if matches!(byte, b'/' | 0) {
            return Err(UrlError::Name);
        }
        out.push(byte);
    }
    Ok(out.into())
}

impl fmt::Display for NfsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        if host.contains(':') {
            write!(f, "{SCHEME}[{host}]")?
        } else {
            write!(f, "{SCHEME}{host}")?
        }
        if self.port != NFS_PORT {
            write!(f, ":{}", self.port)?;
        }
        if self.names.is_empty() {
            return f.write_str("/");
        }
        self.names.iter().try_for_each(|name| write!(f, "/{}", Escaped(name)))
    }
}

/// A name as it stands in a URL: only what would be misread is escaped.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c == '%' || c.is_whitespace() || c.is_control() {
                    let mut buffer = [0; 4];
                    c.encode_utf8(&mut buffer).bytes().try_for_each(|byte| write!(f, "%{byte:02X}"))?;
                } else {
                    write!(f, "{c}")?;
                }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "%{byte:02X}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<NfsUrl, UrlError> {
        text.parse()
    }

    fn parts(text: &str) -> (String, u16, String) {
        let url = parse(text).unwrap();
        (url.host().to_owned(), url.port(), url.path())
    }

    #[test]
    fn host_port_and_path() {
        let expect = |text, host: &str, port, path: &str| {
            assert_eq!(parts(text), (host.to_owned(), port, path.to_owned()), "{text}");
        };
        expect("nfs://server", "server", 2049, "/");
        expect("NFS://server/", "server", 2049, "/");
        expect("nfs://server:2050/a/b", "server", 2050, "/a/b");
        expect("nfs://[::1]/a", "::1", 2049, "/a");
        expect("nfs://[fe80::1%eth0]:111/a", "fe80::1%eth0", 111, "/a");
        expect("nfs://s//a/./b/../c d/", "s", 2049, "/a/c d");
        expect("nfs://s/../a", "s", 2049, "/a");
        expect("nfs://s/what%3f?/%25#1/%c3%a4", "s", 2049, "/what??/%#1/ä");
    }

    #[test]
    fn what_is_no_url_is_told_apart() {
        let expect = |text, error| assert_eq!(parse(text), Err(error), "{text}");
        expect("/srv", UrlError::Scheme);
        expect("http://s/a", UrlError::Scheme);
        expect("ä", UrlError::Scheme);
        expect("nfs:///a", UrlError::Host);
        expect("nfs://::1/a", UrlError::Host);
        expect("nfs://user@s/a", UrlError::Host);
        expect("nfs://[::1/a", UrlError::Host);
        expect("nfs://[::1]x/a", UrlError::Host);
        expect("nfs://[s]/a", UrlError::Host);
        expect("nfs://s:0/a", UrlError::Port);
        expect("nfs://s:65536/a", UrlError::Port);
        expect("nfs://s:/a", UrlError::Port);
        expect("nfs://s/%", UrlError::Escape);
        expect("nfs://s/%4", UrlError::Escape);
        expect("nfs://s/%+1", UrlError::Escape);
        expect("nfs://s/a%2fb", UrlError::Name);
        expect("nfs://s/%00", UrlError::Name);
    }

    #[test]
    fn a_place_is_taken_apart_and_put_together() {
        let url = parse("nfs://s/a/b").unwrap();
        let (directory, name) = url.split().unwrap();
        assert_eq!((directory.to_string().as_str(), name.as_ref()), ("nfs://s/a", b"b".as_slice()));
        assert_eq!(directory.join(name), url);
        assert_eq!(parse("nfs://s").unwrap().split(), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(
            v6: bool,
            port in 1..=u16::MAX,
            names in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..9), 0..4),
        ) {
            let good = |name: &Vec<u8>| !name.iter().any(|byte| matches!(byte, b'/' | 0)) && name != b"." && name != b"..";
            let names = names.into_iter().filter(good).map(Bytes::from).collect();
            let host = if v6 { "2001:db8::7" } else { "server" }.to_owned();
            let url = NfsUrl { host, port, names };
            prop_assert_eq!(parse(&url.to_string()), Ok(url));
        }
    }
}

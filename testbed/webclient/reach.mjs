// Where the ports of a domain are that no name server knows: 443 at job.at, 5223 at job.direct. The certificate is still held to the domain.
import tls from 'node:tls';

export function reach(job) {
  const connect = tls.connect;
  tls.connect = (options, ...rest) => {
    if (options.socket) return connect(options, ...rest); // STARTTLS
    const at = { 443: job.at, 5223: job.direct }[options.port ?? 443];
    if ((options.servername || options.host) !== job.domain || !at) throw new Error(`it asks ${options.host}:${options.port}`);
    const [host, port] = at.split(':');
    return connect({ ...options, host, port: Number(port), servername: job.domain }, ...rest);
  };
}

import type { ServiceNames } from '../config/service-names.js';

/**
 * The service that a session belongs to, by the rules of `services` in pgfig.yaml; without one its application_name, else
 * its user.
 * @param peer 'address:port'; 'local:0' for a Unix socket
 */
export function serviceOf(
  { services }: { readonly services: ServiceNames },
  applicationName: string,
  { user, peer }: { readonly user: string; readonly peer: string },
): string {
  const address = peer.slice(0, peer.lastIndexOf(':'));
  return services.nameOf(applicationName, user, address === 'local' ? '' : address);
}

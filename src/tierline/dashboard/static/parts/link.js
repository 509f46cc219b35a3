// Addresses inside the dashboard.

/** The address of a page with params; empty ones are left out. */
export function link(name, params = {}) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== "" && value !== undefined && value !== null)).toString();
  return `#/${name}${query ? `?${query}` : ""}`;
}

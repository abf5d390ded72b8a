import type { Config } from '../config/config.js';
import { type Catalog, mergeCatalog } from './catalog/catalog.js';
import type { CatalogPart } from './catalog/catalog-part.js';
import { CatalogReader } from './catalog/reader.js';

export { Catalog, mergeCatalog } from './catalog/catalog.js';
export type { CatalogPart } from './catalog/catalog-part.js';
export { identifierList } from './catalog/identifier-list.js';
export { CatalogReader } from './catalog/reader.js';
export { mergeWireTexts } from './catalog/wire-text.js';

/** Reads all databases at once. One that cannot be read is not in the result. Never throws. */
export async function readCatalog(config: Config): Promise<Catalog> {
  return mergeCatalog(null, await readCatalogParts(config));
}

/** One reading of all databases; see CatalogReader, which is for several. */
export async function readCatalogParts(config: Config): Promise<Map<string, CatalogPart | Error>> {
  return new CatalogReader(config).read();
}

// The one place that names the vendored library.
export {
  html, render, createContext, useState, useEffect, useLayoutEffect, useMemo, useRef, useCallback, useContext,
} from "./vendor/htm-preact-3.1.1.js";

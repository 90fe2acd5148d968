// OpenSeadragon, which is shipped with the page and loaded when it is first needed.

let library = null;

export function load(address) {
  library ??= new Promise((done, failed) => {
    if (window.OpenSeadragon) { done(window.OpenSeadragon); return; }
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => done(window.OpenSeadragon);
    script.onerror = () => { library = null; failed(new Error("the viewer cannot be loaded; reload the page")); };
    document.head.append(script);
  });
  return library;
}

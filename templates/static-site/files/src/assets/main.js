// The build puts the commit in, so that everybody can see which version they look at.
const VERSION = '__VERSION__';

document.querySelector('#version').value = VERSION;

import { type Markup, markup } from '../base/html.ts'

/**
 * What a page has for those who may add files to its folder. Without scripts it is a form; files of the same name are only
 * replaced by the second button.
 */
export function uploadForm(): Markup {
  return markup`<form class="up" method="post" enctype="multipart/form-data"><label>Add files <input type="file" name="file" multiple required></label> <button class="act">Upload</button> <button class="act" formaction="?replace">Upload and replace</button> <progress hidden aria-label="Upload"></progress> <output></output></form>
`
}

/**
 * What the form does when scripts may run: it sends each file by itself, shows how far it is, asks before it replaces one, and
 * takes files and folders that are dropped anywhere on the page. Its hash stands in the Content-Security-Policy.
 */
export const uploadScript = `(()=>{const form=document.querySelector('.up'),[input,send,force]=form.querySelectorAll('input,button'),bar=form.querySelector('progress'),out=form.querySelector('output')
  force.hidden=true
  let busy=false
  const put=(path,file,fresh,seen)=>new Promise(end=>{const x=new XMLHttpRequest
  x.open('PUT',path.split('/').map(encodeURIComponent).join('/'))
  if(fresh)x.setRequestHeader('If-None-Match','*')
  x.upload.onprogress=e=>seen(e.loaded)
  x.onloadend=()=>end(x)
  x.send(file)})
  const upload=async list=>{if(busy||!list.length)return
  busy=send.disabled=true
  const total=list.reduce((n,[,f])=>n+f.size,0),failed=[]
  let done=0,stored=0
  bar.max=total||1;bar.value=0;bar.hidden=false
  for(const [i,[path,file]] of list.entries()){
  const seen=n=>{bar.value=done+n;out.value=(i+1)+' of '+list.length+': '+path+', '+Math.floor(100*(done+n)/(total||1))+' %'}
  seen(0)
  let x=await put(path,file,true,seen)
  if(x.status===412){if(!confirm(path+' is there already. Replace it?')){done+=file.size;continue}
  x=await put(path,file,false,seen)}
  done+=file.size
  if(x.status>199&&x.status<300)stored++
  else failed.push(path+': '+(x.responseText.trim()||x.statusText||'the connection broke off'))}
  busy=send.disabled=false
  bar.hidden=true
  form.reset()
  out.value=failed.join(' \\u2022 ')||'Nothing was changed'
  if(stored&&!failed.length)location.reload()}
  form.onsubmit=e=>{e.preventDefault();upload([...input.files].map(f=>[f.name,f]))}
  const walk=async(entry,at,list)=>{const path=at+entry.name
  if(entry.isFile)return list.push([path,await new Promise((ok,no)=>entry.file(ok,no))])
  const reader=entry.createReader()
  for(let some;(some=await new Promise((ok,no)=>reader.readEntries(ok,no))).length;)for(const one of some)await walk(one,path+'/',list)}
  const holds=e=>e.dataTransfer&&[...e.dataTransfer.types].includes('Files')
  addEventListener('dragover',e=>{if(holds(e)){e.preventDefault();form.classList.add('over')}})
  addEventListener('dragleave',e=>{if(!e.relatedTarget)form.classList.remove('over')})
  addEventListener('drop',async e=>{if(!holds(e))return
  e.preventDefault();form.classList.remove('over')
  const list=[],entries=[]
  for(const item of e.dataTransfer.items){const entry=item.webkitGetAsEntry?.(),file=item.getAsFile()
  if(entry)entries.push(entry)
  else if(file)list.push([file.name,file])}
  try{for(const entry of entries)await walk(entry,'',list)}catch(error){out.value=error.message;return}
  upload(list)})
  addEventListener('beforeunload',e=>{if(busy)e.preventDefault()})
})()`

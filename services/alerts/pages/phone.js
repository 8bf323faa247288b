(function(){
'use strict';
var d=document,b=d.body,P='fp1:'+b.getAttribute('data-who')+':',csrf=b.getAttribute('data-csrf'),net=d.getElementById('net'),store=null,busy=false;
d.documentElement.className='js';
try{store=window.localStorage;store.setItem('fp1','1');store.removeItem('fp1');}catch(e){store=null;}
function get(k){try{return JSON.parse(store.getItem(P+k)||'null');}catch(e){return null;}}
function put(k,v){try{store.setItem(P+k,JSON.stringify(v));return true;}catch(e){return false;}}
function del(k){try{store.removeItem(P+k);}catch(e){}}
function keys(){var a=[],i,k;try{for(i=0;i<store.length;i++){k=store.key(i);if(k.indexOf(P)===0)a.push(k.slice(P.length));}}catch(e){}return a;}
function all(q,r){return [].slice.call((r||d).querySelectorAll(q));}
function off(){return navigator.onLine===false;}
function say(t){net.textContent=t;net.className='bar off'+(t?' on':'');}
function tell(){
 var w=keys().some(function(k){var v=get(k);return v&&v.p;});
 if(busy)say('正在发送…');
 else if(w)say('已保存在手机上，有网络后自动发送');
 else if(off())say(form&&store?'没有网络，填写的内容已保存在手机上':'现在没有网络');
 else say('');
}
function fields(f){
 var a=[],i,e;
 for(i=0;i<f.elements.length;i++){e=f.elements[i];
  if(!e.name||e.disabled||e.name==='csrf'||((e.type==='radio'||e.type==='checkbox')&&!e.checked))continue;
  a.push([e.name,e.value]);}
 return a;
}
function fill(f,list){
 all('input,textarea,select',f).forEach(function(e){
  if(!e.name||e.name==='csrf'||e.name==='seen')return;
  var v=list.filter(function(x){return x[0]===e.name;});
  if(e.type==='radio'||e.type==='checkbox')e.checked=v.some(function(x){return x[1]===e.value;});
  else if(v.length)e.value=v[0][1];});
}
function body(list){
 return list.concat([['csrf',csrf]]).map(function(x){return encodeURIComponent(x[0])+'='+encodeURIComponent(x[1]);}).join('&').replace(/%20/g,'+');
}
// sent(ok, final address, answered): a network that fails answers nothing, and the draft stays.
function send(k,v,sent){
 var x=new XMLHttpRequest();
 x.open('POST',v.a);x.timeout=20000;
 x.setRequestHeader('Content-Type','application/x-www-form-urlencoded');
 x.onload=function(){
  var u=x.responseURL||'',ok=x.status===200&&/\/done$/.test(u);
  if(ok)del(k);
  sent(ok,u,x.status>0&&x.status<500);};
 x.onerror=x.ontimeout=x.onabort=function(){sent(false,'',false);};
 x.send(body(v.f));
}
// Where the PIN is asked for, all else waits for it.
function flush(){
 if(busy||off()||/\/pin$/.test(location.pathname)){tell();return;}
 var k=keys().filter(function(n){var v=get(n);return v&&v.p;})[0];
 if(!k){tell();return;}
 busy=true;tell();
 send(k,get(k),function(ok,u,answered){
  busy=false;
  if(ok){if(form&&k===id)location.href=u;else{mark();flush();}return;}
  if(answered){
   if(/\/pin(\?|$)/.test(u)){location.href=u;return;}
   var v=get(k);v.p=false;put(k,v);
   if(form&&k===id){form.submit();return;}
   mark();}
  tell();});
}
function mark(){
 all('[data-alert]').forEach(function(e){
  var v=get(e.getAttribute('data-alert')),t=e.querySelector('.draft');
  t.textContent=v?(v.p?'待发送':'有草稿'):'';t.hidden=!v;});
}
var form=d.getElementById('answer'),id=form?form.getAttribute('data-id'):'',clear=b.getAttribute('data-clear');
if(clear)del(clear);
keys().forEach(function(k){var v=get(k);if(!v||!(v.t>Date.now()-2592e6))del(k);});
mark();
if(form){
 var show=function(){
  var c=form.querySelector('input[name=outcome]:checked'),o=c?c.value:'';
  all('[data-for]',form).forEach(function(e){
   var on=(' '+e.getAttribute('data-for')+' ').indexOf(' '+o+' ')>=0;
   e.className=e.className.replace(/ ?hide/,'')+(on?'':' hide');
   all('input,select,textarea',e).forEach(function(i){i.disabled=!on;});});
  all('.need',form).forEach(function(e){
   var t=e.querySelector('input[type=text]'),r=e.querySelector('input[type=radio]:checked'),on=(r&&r.value==='lacking')||t.value||t.getAttribute('data-open');
   t.className=on?'':'hide';e.querySelector('.more').hidden=!!on;});
 };
 var keep=function(p){
  var v=get(id)||{};
  return put(id,{t:Date.now(),a:form.getAttribute('action'),f:fields(form),p:p||v.p||false});
 };
 var draft=get(id);
 if(draft&&!form.getAttribute('data-entered'))fill(form,draft.f);
 show();
 form.addEventListener('click',function(e){
  if(e.target.className!=='more')return;
  var t=e.target.parentNode.parentNode.querySelector('input[type=text]');
  t.setAttribute('data-open','1');show();t.focus();});
 form.addEventListener('change',function(){show();keep(false);tell();});
 form.addEventListener('input',function(){keep(false);});
 form.addEventListener('submit',function(e){
  if(!store||!keep(true))return;
  e.preventDefault();flush();});
 if(form.getAttribute('data-entered')&&store)keep(false);
}
window.addEventListener('online',flush);
window.addEventListener('offline',tell);
setInterval(flush,15000);
flush();
})();
